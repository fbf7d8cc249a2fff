//! A file system in memory that stops at any operation, and then shows any state in which the medium may be:
//! what was not flushed is lost, kept, or torn, each piece on its own.

use std::collections::BTreeMap;
use std::sync::MutexGuard;

use super::super::files::{Files, Lock, Output};
use super::*;

#[derive(Clone, Default)]
struct Directory {
    /// What is on the medium for sure.
    durable: BTreeMap<String, usize>,
    current: BTreeMap<String, usize>,
    /// What leads from one to the other, in order; each may reach the medium without those before it.
    pending: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Link(String, usize),
    Unlink(String),
    Rename(String, String, usize),
}

#[derive(Clone)]
enum Inode {
    Directory(Directory),
    File { durable: Vec<u8>, current: Vec<u8> },
}

#[derive(Clone)]
struct State {
    inodes: Vec<Inode>,
    steps: usize,
    trouble: Trouble,
    stopped: bool,
}

/// What goes wrong, counted in operations that change something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    Never,
    /// The machine stops at that operation.
    StopAt(usize),
    /// That operation fails, the next ones work again.
    FailAt(usize),
}

/// Which part of what was not flushed has reached the medium.
#[derive(Clone, Copy, Debug)]
pub(super) enum Survives {
    /// All: the process was killed, the machine went on.
    All,
    /// Nothing.
    Nothing,
    /// Some of it, by that seed.
    Some(u64),
}

#[derive(Clone)]
pub(super) struct Simulated(Arc<Mutex<State>>);

impl Simulated {
    /// An empty file system with the directory `/home`.
    pub(super) fn new(trouble: Trouble) -> Self {
        let root = BTreeMap::from([("home".to_owned(), 1)]);
        let root = Directory { durable: root.clone(), current: root, pending: Vec::new() };
        let inodes = vec![Inode::Directory(root), Inode::Directory(Directory::default())];
        Self(Arc::new(Mutex::new(State { inodes, steps: 0, trouble, stopped: false })))
    }

    pub(super) fn stopped(&self) -> bool {
        self.state().stopped
    }

    pub(super) fn steps(&self) -> usize {
        self.state().steps
    }

    /// The process is started again; the machine has not stopped, and nothing more was flushed.
    pub(super) fn restart(&self) {
        let mut state = self.state();
        state.trouble = Trouble::Never;
        state.stopped = false;
    }

    /// From now on, operation `at` will fail.
    pub(super) fn fail_at(&self, at: usize) {
        self.state().trouble = Trouble::FailAt(at);
    }

    /// How many operations there are still to come before something goes wrong.
    pub(super) fn steps_to_trouble(&self) -> usize {
        let state = self.state();
        match state.trouble {
            Trouble::Never => 0,
            Trouble::StopAt(at) | Trouble::FailAt(at) => at.saturating_sub(state.steps),
        }
    }

    /// The file system as it is found after the stop.
    pub(super) fn after(&self, survives: Survives) -> Self {
        let mut state = self.state().clone();
        let mut seed = match survives {
            Survives::Some(seed) => seed,
            _ => 0,
        };
        // xorshift64*: the seed is never zero after the first line.
        let mut choose = |ways: u64| match survives {
            Survives::All => 0,
            Survives::Nothing => 1,
            Survives::Some(_) => {
                seed |= 1 << 40;
                seed ^= seed >> 12;
                seed ^= seed << 25;
                seed ^= seed >> 27;
                (seed.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % ways
            }
        };
        for inode in &mut state.inodes {
            match inode {
                Inode::Directory(directory) => {
                    let mut names = directory.durable.clone();
                    for change in directory.pending.drain(..) {
                        if choose(2) == 0 {
                            change.apply(&mut names);
                        }
                    }
                    directory.durable = names.clone();
                    directory.current = names;
                }
                Inode::File { durable, current } if durable != current => {
                    match choose(4) {
                        0 => {}
                        1 => current.clone_from(durable),
                        2 => current.truncate(current.len() / 2),
                        // The length reached the medium, the octets did not.
                        _ => current.fill(0),
                    }
                    durable.clone_from(current);
                }
                Inode::File { .. } => {}
            }
        }
        state.steps = 0;
        state.trouble = Trouble::Never;
        state.stopped = false;
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Change {
    fn apply(self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Link(name, inode) => {
                names.insert(name, inode);
            }
            Self::Unlink(name) => {
                names.remove(&name);
            }
            Self::Rename(from, to, inode) => {
                names.remove(&from);
                names.insert(to, inode);
            }
        }
    }
}

impl State {
    /// Counts an operation; an error when it is the one that goes wrong.
    fn step(&mut self) -> io::Result<()> {
        self.alive()?;
        self.steps += 1;
        match self.trouble {
            Trouble::StopAt(at) if at == self.steps => {
                self.stopped = true;
                Err(io::Error::other("stopped"))
            }
            Trouble::FailAt(at) if at == self.steps => Err(io::Error::other("failed")),
            _ => Ok(()),
        }
    }

    fn alive(&self) -> io::Result<()> {
        if self.stopped { Err(io::Error::other("stopped")) } else { Ok(()) }
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        path.components().skip(1).try_fold(0, |inode, part| {
            let part = part.as_os_str().to_str().unwrap();
            self.directory(inode)?.current.get(part).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
        })
    }

    fn directory(&self, inode: usize) -> io::Result<&Directory> {
        match &self.inodes[inode] {
            Inode::Directory(directory) => Ok(directory),
            Inode::File { .. } => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn parent(&mut self, path: &Path) -> io::Result<(&mut Directory, String)> {
        let inode = self.find(path.parent().unwrap())?;
        match &mut self.inodes[inode] {
            Inode::Directory(directory) => {
                Ok((directory, path.file_name().unwrap().to_str().unwrap().to_owned()))
            }
            Inode::File { .. } => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn change(&mut self, path: &Path, change: Change) -> io::Result<()> {
        let (directory, _) = self.parent(path)?;
        directory.pending.push(change.clone());
        change.apply(&mut directory.current);
        Ok(())
    }

    fn add(&mut self, path: &Path, inode: Inode) -> io::Result<usize> {
        if self.find(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = self.inodes.len();
        let (_, name) = self.parent(path)?;
        self.change(path, Change::Link(name, number))?;
        self.inodes.push(inode);
        Ok(number)
    }
}

impl Files for Simulated {
    fn check_directory(&self, path: &Path) -> Result<bool, StoreError> {
        Ok(self.state().find(path).is_ok())
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        state.add(path, Inode::Directory(Directory::default())).map(|_| ())
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        let (_, name) = state.parent(path)?;
        state.change(path, Change::Unlink(name))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        state.alive()?;
        Ok(state.directory(state.find(path)?)?.current.keys().cloned().collect())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        let mut state = self.state();
        state.step()?;
        let inode = state.add(path, Inode::File { durable: Vec::new(), current: Vec::new() })?;
        Ok(Box::new(Writing(self.clone(), inode)))
    }

    fn read(&self, path: &Path, limit: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let state = self.state();
        state.alive().map_err(|error| StoreError::io("read", path, &error))?;
        match state.find(path) {
            Ok(inode) => match &state.inodes[inode] {
                Inode::File { current, .. } => {
                    assert!(current.len() <= limit);
                    Ok(Some(current.clone()))
                }
                Inode::Directory(_) => panic!("a directory is read"),
            },
            Err(_) => Ok(None),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        assert_eq!(from.parent(), to.parent());
        let inode = state.find(from)?;
        let names = (from.file_name().unwrap().to_str().unwrap(), to.file_name().unwrap().to_str().unwrap());
        state.change(from, Change::Rename(names.0.to_owned(), names.1.to_owned(), inode))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        state.find(path)?;
        let (_, name) = state.parent(path)?;
        state.change(path, Change::Unlink(name))
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        let inode = state.find(path)?;
        let Inode::Directory(directory) = &mut state.inodes[inode] else { panic!("a file is flushed") };
        directory.durable.clone_from(&directory.current);
        directory.pending.clear();
        Ok(())
    }

    fn lock(&self, path: &Path, _alone: bool) -> Result<Box<dyn Lock>, StoreError> {
        self.state().alive().map_err(|error| StoreError::io("lock", path, &error))?;
        Ok(Box::new(Held))
    }

    fn try_lock(&self, path: &Path) -> Result<Option<Box<dyn Lock>>, StoreError> {
        self.lock(path, true).map(Some)
    }
}

/// One task runs over a simulated file system, so there is nobody to shut out.
struct Held;

impl Lock for Held {}

struct Writing(Simulated, usize);

impl Output for Writing {
    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        let mut state = self.0.state();
        let result = state.step();
        // A write that goes wrong has written half.
        let written = if result.is_ok() { octets } else { &octets[..octets.len() / 2] };
        let Inode::File { current, .. } = &mut state.inodes[self.1] else { panic!("a directory is written") };
        current.extend_from_slice(written);
        result
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.0.state();
        state.step()?;
        let Inode::File { durable, current } = &mut state.inodes[self.1] else {
            panic!("a directory is flushed")
        };
        durable.clone_from(current);
        Ok(())
    }
}

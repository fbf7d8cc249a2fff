use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use super::*;

/// A folder that goes when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("aecm-folder-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let path = std::env::temp_dir().join(name);
        let _absent = fs::remove_dir_all(&path);
        Self(path)
    }

    /// A folder with an identity and three transactions.
    fn filled() -> Self {
        let scratch = Self::new();
        let found = Folder::open(&scratch.0).unwrap();
        assert!(found.identity.is_none() && found.rows.is_empty());
        found.folder.write_identity(b"{\"keys\":\"secret\"}").unwrap();
        for number in 0..3 {
            found.folder.transaction().append(&[row(number), row(number + 100)]).unwrap();
        }
        scratch
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut content = fs::read(self.file(name)).unwrap();
        change(&mut content);
        fs::write(self.file(name), content).unwrap();
    }

    fn error(&self) -> StateError {
        Folder::open(&self.0).err().expect("an error")
    }

    fn rows(&self) -> Vec<Change> {
        Folder::open(&self.0).unwrap().rows
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn row(number: u32) -> Change {
    ("account".to_owned(), number.to_string(), json!({ "number": number }))
}

#[track_caller]
fn assert_damaged(error: &StateError, name: &str) {
    match error {
        StateError::Damaged { path, .. } => assert!(path.ends_with(name), "{error}"),
        other => panic!("{other}"),
    }
    assert!(error.to_string().contains(name), "{error}");
}

#[test]
fn what_was_written_comes_back_in_order() {
    let scratch = Scratch::filled();
    let wanted = [row(0), row(100), row(1), row(101), row(2), row(102)];
    assert_eq!(scratch.rows(), wanted);
    let found = Folder::open(&scratch.0).unwrap();
    assert_eq!(found.identity.unwrap().as_slice(), b"{\"keys\":\"secret\"}");
    // Nothing to write is written as nothing.
    let length = fs::metadata(scratch.file("journal-0")).unwrap().len();
    found.folder.transaction().append(&[]).unwrap();
    assert_eq!(fs::metadata(scratch.file("journal-0")).unwrap().len(), length);
}

// K4: a process killed while it writes leaves a line without end; nobody was told of it.
#[test]
fn k4_a_line_cut_anywhere_is_as_if_it_had_not_been_begun() {
    let scratch = Scratch::filled();
    let whole = fs::read(scratch.file("journal-0")).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').map(|at| at + 1).collect();
    for cut in ends[0]..whole.len() {
        fs::write(scratch.file("journal-0"), &whole[..cut]).unwrap();
        let lines = ends.iter().filter(|end| **end <= cut).count() - 1;
        assert_eq!(scratch.rows().len(), lines * 2, "cut at {cut}");
        // What was cut is gone from the file, and the next line stands where it began.
        Folder::open(&scratch.0).unwrap().folder.transaction().append(&[row(7)]).unwrap();
        assert_eq!(scratch.rows().last(), Some(&row(7)), "cut at {cut}");
    }
}

#[test]
fn every_changed_octet_is_found() {
    for name in ["identity", "journal-0"] {
        let scratch = Scratch::filled();
        let whole = fs::read(scratch.file(name)).unwrap();
        // The very last octet of the journal ends its line: another one there is a line that was not finished.
        for at in 0..whole.len() - 1 {
            let mut changed = whole.clone();
            changed[at] ^= 0x01;
            fs::write(scratch.file(name), &changed).unwrap();
            match scratch.error() {
                StateError::Damaged { path, .. } => assert!(path.ends_with(name), "octet {at}"),
                // The version of the first line.
                StateError::Newer { version, .. } => assert!(version > 1, "octet {at}"),
                other => panic!("octet {at}: {other}"),
            }
            assert_eq!(fs::read(scratch.file(name)).unwrap(), changed, "nothing is repaired");
        }
    }
}

#[test]
fn lost_and_moved_lines_are_found() {
    for (from, to) in [(1, 2), (2, 3)] {
        let scratch = Scratch::filled();
        scratch.damage("journal-0", |content| {
            let text = String::from_utf8(content.clone()).unwrap();
            let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
            lines.drain(from..to);
            *content = lines.concat().into_bytes();
        });
        assert_damaged(&scratch.error(), "journal-0");
    }
    let scratch = Scratch::filled();
    scratch.damage("journal-0", |content| {
        let text = String::from_utf8(content.clone()).unwrap();
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        lines.swap(1, 2);
        *content = lines.concat().into_bytes();
    });
    assert_damaged(&scratch.error(), "journal-0");
}

#[test]
fn lost_files_are_found() {
    for name in ["identity", "journal-0"] {
        let scratch = Scratch::filled();
        fs::remove_file(scratch.file(name)).unwrap();
        assert_damaged(&scratch.error(), name);
    }
    // The snapshot, of which the journal tells.
    let scratch = Scratch::filled();
    let found = Folder::open(&scratch.0).unwrap();
    found.folder.transaction().snapshot(&[row(1)]).unwrap();
    found.folder.transaction().append(&[row(2)]).unwrap();
    drop(found);
    assert_eq!(scratch.rows(), [row(1), row(2)]);
    fs::rename(scratch.file("snapshot"), scratch.file("kept")).unwrap();
    assert_damaged(&scratch.error(), "snapshot");
    fs::rename(scratch.file("kept"), scratch.file("snapshot")).unwrap();
    fs::remove_file(scratch.file("journal-1")).unwrap();
    assert_damaged(&scratch.error(), "journal-1");
}

#[test]
fn a_later_version_is_not_touched() {
    for name in ["identity", "journal-0"] {
        let scratch = Scratch::filled();
        scratch.damage(name, |content| {
            let text = String::from_utf8(content.clone()).unwrap();
            *content = text.replacen(" 1 ", " 2 ", 1).into_bytes();
        });
        match scratch.error() {
            StateError::Newer { path, version: 2, known: 1 } => assert!(path.ends_with(name)),
            other => panic!("{other}"),
        }
    }
}

// K5
#[test]
fn k5_two_cannot_share_a_folder() {
    let scratch = Scratch::new();
    let first = Folder::open(&scratch.0).unwrap();
    assert!(matches!(scratch.error(), StateError::Locked { .. }));
    drop(first);
    assert!(Folder::open(&scratch.0).is_ok());
}

// K3
#[cfg(unix)]
#[test]
fn k3_files_are_the_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::filled();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&scratch.0), 0o700);
    for name in ["lock", "identity", "journal-0"] {
        assert_eq!(mode(&scratch.file(name)), 0o600, "{name}");
    }
    for name in ["identity", "journal-0"] {
        fs::set_permissions(scratch.file(name), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(scratch.error(), StateError::Permissions { mode: 0o640, .. }), "{name}");
        fs::set_permissions(scratch.file(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    // The lock of a folder that somebody else may write to could be another's file.
    fs::set_permissions(scratch.file("lock"), fs::Permissions::from_mode(0o620)).unwrap();
    assert!(matches!(scratch.error(), StateError::Permissions { mode: 0o620, .. }));
    fs::set_permissions(scratch.file("lock"), fs::Permissions::from_mode(0o600)).unwrap();
    for open in [0o750, 0o705, 0o770, 0o701] {
        fs::set_permissions(&scratch.0, fs::Permissions::from_mode(open)).unwrap();
        let refused = scratch.error();
        assert!(matches!(refused, StateError::Permissions { mode, .. } if mode == open), "{refused}");
        assert!(refused.to_string().contains("chmod go="), "{refused}");
    }
    fs::set_permissions(&scratch.0, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(scratch.rows().len(), 6);
}

// A link is no file of ours, whatever it leads to; nor is a folder where a file should be.
#[cfg(unix)]
#[test]
fn k3_links_are_refused() {
    use std::os::unix::fs::symlink;
    let names = ["identity", "journal-1", "snapshot", "port", "lock"];
    let scratch = Scratch::filled();
    let found = Folder::open(&scratch.0).unwrap();
    found.folder.transaction().snapshot(&[row(1)]).unwrap();
    found.folder.keep_port(4_433).unwrap();
    drop(found);
    for name in names {
        let kept = scratch.0.with_extension("kept");
        fs::rename(scratch.file(name), &kept).unwrap();
        symlink(&kept, scratch.file(name)).unwrap();
        let refused = Folder::open(&scratch.0).and_then(|found| found.folder.port());
        assert_damaged(&refused.unwrap_err(), name);
        fs::remove_file(scratch.file(name)).unwrap();
        fs::create_dir(scratch.file(name)).unwrap();
        let refused = Folder::open(&scratch.0).and_then(|found| found.folder.port());
        assert_damaged(&refused.unwrap_err(), name);
        fs::remove_dir(scratch.file(name)).unwrap();
        fs::rename(&kept, scratch.file(name)).unwrap();
    }
    assert_eq!(Folder::open(&scratch.0).unwrap().folder.port(), Ok(Some(4_433)));
    let link = Scratch::new();
    symlink(&scratch.0, &link.0).unwrap();
    assert!(link.error().to_string().contains("symbolic link"));
    fs::remove_file(&link.0).unwrap();
}

// Where the damage is, and only an unfinished end is dropped: nothing in the middle is.
#[test]
fn damage_before_the_end_says_where() {
    let scratch = Scratch::filled();
    let whole = fs::read_to_string(scratch.file("journal-0")).unwrap();
    let starts: Vec<usize> = whole.match_indices('\n').map(|(at, _)| at + 1).collect();
    for (line, start) in starts.iter().take(3).enumerate() {
        let mut changed = whole.clone().into_bytes();
        changed[start + 70] ^= 1;
        // With an unfinished line behind it, too.
        changed.extend_from_slice(b"0123");
        fs::write(scratch.file("journal-0"), &changed).unwrap();
        match scratch.error() {
            StateError::Damaged { offset, .. } => {
                assert_eq!(offset, Some(u64::try_from(*start).unwrap()), "line {line}")
            }
            other => panic!("{other}"),
        }
        assert!(scratch.error().to_string().contains(&format!("octet {start}")));
        assert_eq!(fs::read(scratch.file("journal-0")).unwrap(), changed, "nothing is repaired");
    }
    // Octets that never got their content, as after a loss of power.
    let mut torn = whole.into_bytes();
    torn.extend_from_slice(&[0; 4_096]);
    fs::write(scratch.file("journal-0"), &torn).unwrap();
    assert_eq!(scratch.rows().len(), 6);
}

#[test]
fn a_snapshot_takes_the_place_of_the_journal() {
    let scratch = Scratch::filled();
    let found = Folder::open(&scratch.0).unwrap();
    let rows = [row(1), row(2)];
    found.folder.transaction().snapshot(&rows).unwrap();
    found.folder.transaction().append(&[row(3)]).unwrap();
    drop(found);
    assert_eq!(scratch.rows(), [row(1), row(2), row(3)]);
    assert!(!scratch.file("journal-0").exists());
    for name in ["snapshot", "journal-1"] {
        let whole = fs::read(scratch.file(name)).unwrap();
        scratch.damage(name, |content| *content.last_mut().unwrap() = b'x');
        let opened = Folder::open(&scratch.0);
        // The last octet of a journal is the end of its line: without it the line was not finished.
        match opened {
            Err(error) => assert_damaged(&error, name),
            Ok(found) => assert_eq!((name, found.rows.as_slice()), ("journal-1", &rows[..])),
        }
        fs::write(scratch.file(name), whole).unwrap();
    }
}

// K4: killed between the steps of a snapshot.
#[test]
fn k4_a_snapshot_stopped_between_its_steps() {
    // The new journal was made, the snapshot that names it was not.
    let scratch = Scratch::filled();
    let header = fs::read_to_string(scratch.file("journal-0")).unwrap();
    let header = header.lines().next().unwrap().replace(" 1 0", " 1 1");
    let mut options = files::private();
    let mut file = options.create_new(true).open(scratch.file("journal-1")).unwrap();
    std::io::Write::write_all(&mut file, format!("{header}\n").as_bytes()).unwrap();
    assert_eq!(scratch.rows().len(), 6);
    assert!(!scratch.file("journal-1").exists());
    // The snapshot is there, and so is the journal that was folded into it.
    let old = fs::read(scratch.file("journal-0")).unwrap();
    let found = Folder::open(&scratch.0).unwrap();
    found.folder.transaction().snapshot(&[row(1)]).unwrap();
    drop(found);
    let mut file = files::private().create_new(true).open(scratch.file("journal-0")).unwrap();
    std::io::Write::write_all(&mut file, &old).unwrap();
    assert_eq!(scratch.rows(), [row(1)]);
    assert!(!scratch.file("journal-0").exists());
    // A file that was being written beside.
    let mut file = files::private().create_new(true).open(scratch.file("snapshot.new")).unwrap();
    std::io::Write::write_all(&mut file, b"half").unwrap();
    let found = Folder::open(&scratch.0).unwrap();
    assert_eq!(found.rows, [row(1)]);
    found.folder.transaction().snapshot(&[row(5)]).unwrap();
    drop(found);
    assert_eq!(scratch.rows(), [row(5)]);
}

// After a write that failed nothing is known of the file: nothing more is acknowledged until the next start.
#[cfg(target_os = "linux")]
#[test]
fn k4_a_full_disk_ends_it() {
    let scratch = Scratch::filled();
    let found = Folder::open(&scratch.0).unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    found.folder.transaction().0.redirect(full);
    for changes in [&[row(7)][..], &[row(8)], &[]] {
        let refused = found.folder.transaction().append(changes).unwrap_err();
        assert!(matches!(&refused, StateError::Io { what: "write", .. }), "{refused}");
    }
    assert!(found.folder.transaction().snapshot(&[row(9)]).is_err());
    drop(found);
    assert_eq!(scratch.rows().len(), 6);
}

#[test]
fn a_journal_that_grew_wants_a_snapshot() {
    let scratch = Scratch::new();
    let found = Folder::open(&scratch.0).unwrap();
    found.folder.write_identity(b"{}").unwrap();
    let large = ("account".to_owned(), "a".to_owned(), json!("x".repeat(3 << 20)));
    let mut transaction = found.folder.transaction();
    transaction.append(std::slice::from_ref(&large)).unwrap();
    assert!(!transaction.wants_snapshot());
    transaction.append(std::slice::from_ref(&large)).unwrap();
    assert!(transaction.wants_snapshot());
    transaction.snapshot(std::slice::from_ref(&large)).unwrap();
    assert!(!transaction.wants_snapshot());
    drop(transaction);
    drop(found);
    assert_eq!(scratch.rows(), [large]);
}

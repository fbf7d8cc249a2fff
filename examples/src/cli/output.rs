//! What is printed and written, the same for every command.

use std::io::Write as _;
use std::path::Path;

use super::io::Io;
use super::outcome::{Content, Outcome};
use super::{Failure, show};

/// Writes the product, prints the outcome, gives the exit status.
pub(super) fn finish(mut outcome: Outcome, json: bool, io: &mut Io) -> u8 {
    let content = outcome.content.take();
    match content {
        Some(Content { octets, out: Some(path), private }) if path.as_os_str() != "-" => {
            if let Err(failure) = write_whole(&path, &octets, private) {
                outcome = failure.into();
            }
            report(&outcome, json, io)
        }
        // With --json stdout holds one object and nothing else.
        Some(Content { out: Some(_), .. }) if json => report(
            &Failure::error("usage", "--json prints one object on stdout: give --out a file").into(),
            json,
            io,
        ),
        Some(_) if json => report(&outcome, json, io),
        Some(Content { octets, .. }) => {
            if !outcome.text.is_empty() {
                io.hint(show::plain(&outcome.text).trim_end());
            }
            match io.stdout.write_all(&octets).and_then(|()| io.stdout.flush()) {
                Ok(()) => outcome.status(),
                Err(error) => report(&unwritable("stdout", &error).into(), json, io),
            }
        }
        None => report(&outcome, json, io),
    }
}

/// The help text.
pub(super) fn help(text: &str, json: bool, io: &mut Io) -> u8 {
    if json {
        let outcome = Outcome::of("valid").with("help", text);
        return report(&outcome, json, io);
    }
    print(text, io)
}

fn report(outcome: &Outcome, json: bool, io: &mut Io) -> u8 {
    let status = outcome.status();
    if json {
        return print(&format!("{}\n", outcome.json()), io).max(status);
    }
    if status == 2 {
        let mut stderr = io.stderr.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Nowhere to tell it when this fails.
        let _ = writeln!(stderr, "aecm: {}", show::plain(&outcome.text));
        return status;
    }
    let text = show::plain(&outcome.text);
    let line_end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    print(&format!("{text}{line_end}"), io).max(status)
}

fn print(text: &str, io: &mut Io) -> u8 {
    match io.stdout.write_all(text.as_bytes()).and_then(|()| io.stdout.flush()) {
        Ok(()) => 0,
        // A reader that has seen enough (`| head`) is no failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(_) => 2,
    }
}

/// Writes `octets` to `path` whole or not at all: a temporary file beside it, flushed, then renamed.
pub(super) fn write_whole(path: &Path, octets: &[u8], private: bool) -> Result<(), Failure> {
    let name = path.display().to_string();
    let wrong = |error: std::io::Error| unwritable(&name, &error);
    // A link stays a link; a device or pipe is not to be replaced by a file.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let path = target.as_path();
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(Failure::error(
            "file-unwritable",
            format!("{name} is no regular file; nothing was written"),
        ));
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".aecm-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = if private { 0o600 } else { 0o644 };
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    let mut file = builder.tempfile_in(folder).map_err(wrong)?;
    file.write_all(octets).map_err(wrong)?;
    file.as_file().sync_all().map_err(wrong)?;
    file.persist(path).map_err(|error| unwritable(&name, &error.error))?;
    Ok(())
}

fn unwritable(name: &str, error: &std::io::Error) -> Failure {
    Failure::error("file-unwritable", format!("{name} cannot be written: {error}"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn devices_and_links_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::write(&real, b"old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_whole(&link, b"new", false).unwrap();
        assert_eq!(std::fs::read(&real).unwrap(), b"new");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(write_whole(folder.path(), b"x", false).is_err());
        assert_eq!(write_whole(Path::new("/dev/null"), b"x", false).unwrap_err().reason, "file-unwritable");
    }
}

//! docs/interop.md claims nothing that no test shows, and leaves no exchange out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The test functions of a file.
fn tests(path: &str) -> BTreeSet<String> {
    let text = read(path);
    let mut found = BTreeSet::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test && !line.starts_with("//"))
        {
            found.insert(rest.split('(').next().unwrap().to_owned());
            is_test = false;
        }
    }
    found
}

#[test]
fn every_name_has_its_test_and_every_test_is_named() {
    let document = read("docs/interop.md");
    let mut named = BTreeSet::new();
    for name in document.split('`').skip(1).step_by(2) {
        let Some((file, function)) = name.split_once("::") else { continue };
        let path = if file.ends_with(".rs") { file.to_owned() } else { format!("interop/tests/{file}.rs") };
        assert!(tests(&path).contains(function), "docs/interop.md names {name}, which is no test");
        named.insert((path, function.to_owned()));
    }
    assert!(named.len() > 30, "{named:?}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let path = format!("interop/tests/{name}");
        if name == "documentation.rs" {
            continue;
        }
        for function in tests(&path) {
            assert!(
                named.contains(&(path.clone(), function.clone())),
                "docs/interop.md does not name {name}: {function}"
            );
        }
    }
}

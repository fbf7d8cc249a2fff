//! docs/verdicts.md, section "Command line", against the code of the command, in both directions.

use std::collections::BTreeSet;
use std::path::Path;

type Words = BTreeSet<String>;

fn root(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// The source of the command, without comments and tests.
fn sources() -> String {
    let mut all = String::new();
    let mut folders = vec![root("src/cli")];
    let mut files = vec![root("src/cli.rs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            all.push_str(line);
            all.push('\n');
        }
    }
    all
}

/// The first column of every table of a section, or of all sections.
fn documented(section: Option<&str>) -> Words {
    let page = std::fs::read_to_string(root("../docs/verdicts.md")).unwrap();
    page.split("\n## ")
        .skip(1)
        .filter(|text| section.is_none_or(|wanted| text.lines().next() == Some(wanted)))
        .flat_map(|text| {
            text.lines()
                .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-')
}

/// The literal that follows each of these calls, white space aside.
fn literals_after(source: &str, call: &str) -> Words {
    source
        .split(call)
        .skip(1)
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
        .filter(|text| is_word(text))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_word_of_the_command_is_on_the_page() {
    let source = sources();
    let mut used = Words::new();
    for call in [
        "Failure::error(",
        "Failure::limit(",
        "Stop::error(",
        "Self::error(",
        "Self::limit(",
        "reasons.push(",
        ".because([",
        "const LIMIT: &str =",
    ] {
        used.extend(literals_after(&source, call));
    }
    used.extend(
        source.split('"').filter(|text| text.starts_with("lint-") && is_word(text)).map(str::to_owned),
    );
    assert!(
        used.contains("usage") && used.contains("lint-dual-use") && used.contains("limit-exceeded"),
        "{used:?}"
    );
    let page = documented(None);
    let missing: Vec<_> = used.difference(&page).collect();
    assert!(missing.is_empty(), "not in docs/verdicts.md: {missing:?}");
}

#[test]
fn no_word_of_the_section_is_left_over() {
    let source = sources();
    let literals: Words = source.split('"').filter(|text| is_word(text)).map(str::to_owned).collect();
    // Words of the libraries that only the command line turns into reasons.
    let library = ["other-mailbox", "not-single-usage"].map(str::to_owned);
    let known: Words = literals.into_iter().chain(library).collect();
    let section = documented(Some("Command line"));
    assert!(section.len() > 40, "{section:?}");
    let left: Vec<_> = section.difference(&known).collect();
    assert!(left.is_empty(), "in docs/verdicts.md and nowhere in the command: {left:?}");
}

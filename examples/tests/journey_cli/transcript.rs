//! The lines of the README, run as they stand there.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::support::{Bench, wait_for};

/// A line to type, and what comes of it on stdout.
#[derive(Debug)]
struct Typed {
    words: Vec<String>,
    output: Vec<String>,
}

/// The console block under the heading "From the shell".
fn transcript() -> Vec<Typed> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, section) = readme.split_once("\n## From the shell\n").expect("the section is there");
    let (_, block) = section.split_once("```console\n").expect("its block is there");
    let (block, _) = block.split_once("```\n").unwrap();
    let mut typed: Vec<Typed> = Vec::new();
    let mut continued = false;
    for line in block.lines() {
        let words = |text: &str| split(text.trim_end_matches('\\'));
        if let Some(command) = line.strip_prefix("$ ") {
            typed.push(Typed { words: words(command), output: Vec::new() });
        } else if continued {
            typed.last_mut().unwrap().words.extend(words(line));
        } else {
            typed.last_mut().expect("it begins with a command").output.push(line.to_owned());
        }
        continued = line.ends_with('\\') && (continued || line.starts_with("$ "));
    }
    typed
}

/// Words at blanks; single quotes hold one together. No other sign of a shell has a meaning here.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for letter in line.chars() {
        match letter {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    assert!(!quoted, "an open quotation in {line}");
    words.into_iter().chain(word).collect()
}

/// What varies is named by its kind: addresses, serial numbers, times, digests.
fn shape(line: &str) -> String {
    let kind = |word: &str| -> String {
        let bare = word.trim_end_matches([',', ';', ':', ')']).trim_start_matches('(');
        let digits = bare.chars().filter(char::is_ascii_digit).count();
        let hex = bare.len() >= 12 && bare.chars().all(|letter| letter.is_ascii_hexdigit());
        let kind = match bare {
            _ if bare.starts_with("https://") => "<url>",
            _ if bare.contains('@') && bare.rsplit('@').next().is_some_and(|end| end.len() == 16) => {
                return word.replace(bare.rsplit('@').next().unwrap(), "<device>");
            }
            _ if hex => "<hex>",
            _ if bare.len() >= 19 && digits >= 12 && bare.contains('T') => "<time>",
            _ => return word.to_owned(),
        };
        word.replace(bare, kind)
    };
    line.split_whitespace().map(kind).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_lines_of_the_readme_do_what_they_show() {
    let bench = Bench::new();
    let letter = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/letter.eml");
    std::fs::create_dir_all(bench.path("examples/data")).unwrap();
    std::fs::copy(letter, bench.path("examples/data/letter.eml")).unwrap();
    let lines = transcript();
    assert!(lines.len() >= 6, "{lines:?}");
    let mut behind: Vec<Child> = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for Typed { words, output } in &lines {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let printed = match words.as_slice() {
            ["echo", text, ">", file] => {
                bench.write(file, format!("{text}\n"));
                String::new()
            }
            ["aecm", rest @ .., "&"] => {
                let log = bench.path("background.log");
                let mut command = bench.command(rest);
                command.stderr(File::create(&log).unwrap()).stdout(Stdio::null());
                let mut child = command.spawn().unwrap();
                let file = rest.iter().skip_while(|word| **word != "--ready").nth(1).expect("a ready file");
                wait_for(&bench.path(file), &mut child, &log);
                behind.push(child);
                String::new()
            }
            ["aecm", rest @ ..] => {
                *seen.entry(rest[0].to_owned()).or_default() += 1;
                let ran = bench.run_words(rest);
                assert_eq!(ran.status, 0, "{words:?}: {ran:?}");
                ran.stdout
            }
            other => panic!("not a line for this test: {other:?}"),
        };
        let printed: Vec<String> = printed.lines().map(shape).collect();
        let shown: Vec<String> = output.iter().map(|line| shape(line)).collect();
        // An ellipsis stands for any lines.
        match shown.iter().position(|line| line == "…") {
            Some(at) => {
                assert_eq!(at + 1, shown.len(), "the ellipsis is the last line: {words:?}");
                assert_eq!(printed[..at], shown[..at], "{words:?}");
                assert!(printed.len() > at, "{words:?}");
            }
            None => assert_eq!(printed, shown, "{words:?}"),
        }
    }
    for mut child in behind {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    for command in ["provision", "compose", "open"] {
        assert!(seen.contains_key(command), "{command} is not shown");
    }
}

//! `--help` at every level, and what is printed when nothing was asked for.

use super::support::World;

#[test]
fn every_command_has_help_with_an_example() {
    let world = World::new();
    for command in [
        "inspect",
        "verify",
        "decrypt",
        "open",
        "sign",
        "encrypt",
        "timestamp request",
        "timestamp verify",
        "timestamp serve",
        "cert verify",
        "csr",
        "key",
    ] {
        let ran = world.text(&format!("{command} --help"));
        assert_eq!(ran.status, 0, "{command}");
        let text = ran.out();
        assert!(text.contains("Usage: aecm"), "{command}: {text}");
        assert!(text.contains(&format!("\n  aecm {command} ")), "{command} shows no example: {text}");
        let json = world.json(&format!("{command} --help"));
        assert_eq!((json.status, json.verdict()), (0, "valid"));
    }
    for level in ["", "timestamp", "cert"] {
        assert_eq!(world.text(&format!("{level} --help")).status, 0, "{level}");
        assert_eq!(world.json(level).is(2, "error", &["usage"]).status, 2, "{level}");
    }
}

/// `--json` is one object at every exit: where it is given a value too, and beside `help`.
#[test]
fn json_is_kept_where_it_stands_oddly() {
    let world = World::new();
    for line in ["verify @msg.txt --json=1", "--json=true verify @msg.txt", "nonsense --json="] {
        let ran = world.text(line);
        let page: serde_json::Value = serde_json::from_slice(&ran.stdout)
            .unwrap_or_else(|error| panic!("{line}: {error}: {}{}", ran.out(), ran.stderr));
        assert_eq!((ran.status, &page["reasons"]), (2, &serde_json::json!(["usage"])), "{line}: {page}");
        assert!(ran.stderr.is_empty(), "{line}: {}", ran.stderr);
    }
    for (line, part) in [
        ("help", "Usage: aecm "),
        ("help verify", "Usage: aecm verify "),
        ("help cert verify", "Usage: aecm cert verify "),
        ("--version", "aecm 0."),
    ] {
        let ran = world.json(line);
        assert_eq!(ran.is(0, "valid", &[]).status, 0, "{line}");
        assert!(ran.json["help"].as_str().unwrap().contains(part), "{line}: {}", ran.json);
        assert_eq!(world.text(line).out(), ran.json["help"].as_str().unwrap(), "{line}");
    }
    world.json("help nonsense").is(2, "error", &["usage"]);
    // A file of that name is a file.
    world.json("verify help").is(2, "error", &["file-unreadable"]);
}

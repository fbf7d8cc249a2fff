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

//! What an error says to a person.

/// The longest message, in characters.
const LONGEST: usize = 400;

/// A message names what failed, and who said so or what to do; it has no Debug output and no token in it.
pub fn understandable(message: &str, tokens: &[String]) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("the message {why}: {message:?}"));
    let length = message.chars().count();
    if length > LONGEST {
        return wrong(&format!("has {length} characters"));
    }
    if ["{", "}", "Some(", "None", "Ok(", "Err("].iter().any(|debug| message.contains(debug)) {
        return wrong("is a debug dump");
    }
    if message.contains(char::is_control) {
        return wrong("has control characters");
    }
    if tokens.iter().any(|token| token.len() >= 16 && message.contains(token.as_str())) {
        return wrong("tells a token");
    }
    if message.split_whitespace().count() < 4 {
        return wrong("is too short to say anything");
    }
    let who = ["the CA", "the server", "https://", "the mail system", "the issued certificate"];
    let what_to_do = ["call again", "visit", "give ", "look ", "use ", "remove", "provision"];
    if !who.iter().chain(&what_to_do).any(|word| message.contains(word)) {
        return wrong("says neither who said it nor what to do");
    }
    Ok(())
}

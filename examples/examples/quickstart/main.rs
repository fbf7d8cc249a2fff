//! The whole journey on loopback: six certificates for a mailbox, protected mail in both algorithm families,
//! opened and checked; then five attempts to tamper with it.
//!
//! ```text
//! cargo run --release -p aecm-examples --example quickstart [-- FILE.eml] [-- --keys]
//! ```
//!
//! FILE.eml is the mail to send, From alice@example.test; without it a letter with an attachment is. `--keys`
//! leaves the private keys among the artefacts, so that OpenSSL can decrypt.

mod commands;
mod files;
mod letters;
mod people;
mod tamper;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use aecm_examples::artefacts::Artefacts;
use aecm_examples::progress::Progress;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

struct Arguments {
    mail: Option<PathBuf>,
    keys: bool,
}

fn arguments() -> Result<Arguments, String> {
    let mut found = Arguments { mail: None, keys: false };
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--keys" => found.keys = true,
            option if option.starts_with('-') => {
                return Err(format!("unknown option {option}; usage: quickstart [FILE.eml] [--keys]"));
            }
            file if found.mail.is_none() => found.mail = Some(PathBuf::from(file)),
            more => {
                return Err(format!(
                    "one mail is enough, {more} is a second; usage: quickstart [FILE.eml] [--keys]"
                ));
            }
        }
    }
    Ok(found)
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Outcome<()> {
    let started = Instant::now();
    let plain = letters::read(arguments.mail.as_deref())?;
    let progress = Progress::new();
    let mut artefacts = Artefacts::new("target/quickstart")?;
    println!("AECM quickstart: everything happens in this process and on 127.0.0.1.\n");

    progress.say("making authorities");
    let world = world::World::start().await?;
    progress.clear();
    println!("Service  {}", world.service.directory_url());
    println!("         3 roots and 3 issuers in each suite, timestamp units for SHA-256/RSA and SM3/SM2\n");

    let people = people::provision(&world, &progress).await?;
    let letters = letters::send_and_open(&world, &people, plain).await?;
    tamper::show(&people, &letters).await?;
    files::leave(&world, &people, &letters, arguments.keys, &mut artefacts).await?;
    commands::print(&artefacts, arguments.keys);
    println!("\nDone in {:.1} s.", started.elapsed().as_secs_f64());
    Ok(())
}

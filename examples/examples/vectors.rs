//! Makes the published vectors of docs/vectors: messages in every form that AECM writes, and broken ones derived
//! from them, with what a reader has to find.
//!
//! ```text
//! cargo run --release -p aecm-examples --example vectors -- OUTDIR
//! ```
//!
//! The keys are test keys and the random numbers come from a written-down seed, so every run gives the same
//! octets; `tests/published_vectors.rs` compares them with the published ones.

#[path = "vectors/make.rs"]
mod make;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use make::{Outcome, Set};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(out), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: vectors OUTDIR");
        return ExitCode::from(2);
    };
    match run(&out).await {
        Ok(set) => {
            let octets: usize = set.files.values().map(Vec::len).sum();
            println!(
                "{} files, {octets} octets, {} cases in {}",
                set.files.len(),
                set.cases.len(),
                out.display()
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("vectors: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(out: &Path) -> Outcome<Set> {
    let set = make::all().await?;
    for (name, octets) in &set.files {
        let path = out.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, octets).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(set)
}

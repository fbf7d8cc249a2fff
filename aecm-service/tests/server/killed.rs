//! A process that is killed at any moment: what it acknowledged is there when it starts again.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aecm_core::software::KeySpec;
use aecm_service::{Service, ServiceOptions};
use serde_json::Value;

use crate::client::Client;
use crate::state::Scratch;

const FOLDER: &str = "AECM_SERVICE_TEST_FOLDER";

/// Not a test of its own: the process that is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that another test starts and kills"]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let mut options = ServiceOptions::default();
    options.classic_tsa = KeySpec::P256;
    options.state = Some(folder.join("state"));
    let service = Service::start(options).await.unwrap();
    let (beside, ready) = (folder.join("ready.new"), folder.join("ready"));
    std::fs::write(&beside, service.ready().to_string()).unwrap();
    std::fs::rename(&beside, &ready).unwrap();
    std::future::pending::<()>().await;
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // SIGKILL: no destructor of it runs.
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn start(folder: &Path) -> (Running, Value) {
    let _old = std::fs::remove_file(folder.join("ready"));
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let child = Running(child);
    let begun = Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(folder.join("ready")) {
            return (child, serde_json::from_str(&text).unwrap());
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
}

// K4
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn k4_what_was_acknowledged_survives_a_kill_at_any_moment() {
    let scratch = Scratch::new();
    std::fs::create_dir_all(&scratch.0).unwrap();
    let mut acknowledged: Vec<(std::sync::Arc<dyn aecm_core::key::Signer>, String)> = Vec::new();
    let mut roots = None;
    for round in 0..5u64 {
        let (child, ready) = start(&scratch.0);
        assert_eq!(*roots.get_or_insert(ready["anchors"].clone()), ready["anchors"], "round {round}");
        // All that was ever acknowledged, under the same name.
        let mut client = Client::remote(&ready).await;
        for (key, id) in &acknowledged {
            client.key = key.clone();
            let found = client.register().await.expect(200).location();
            assert_eq!(found.rsplit('/').next().unwrap(), id, "round {round}");
        }
        // Several clients at once, and the end somewhere in between.
        let mut clients = Vec::new();
        for _ in 0..3 {
            let mut client = Client::remote(&ready).await;
            clients.push(tokio::spawn(async move {
                let mut made = Vec::new();
                loop {
                    client.key = crate::client::signer(KeySpec::P256);
                    let Some(reply) = client.try_register().await else { return made };
                    let id = reply.expect(201).location().rsplit('/').next().unwrap().to_owned();
                    made.push((client.key.clone(), id));
                }
            }));
        }
        tokio::time::sleep(Duration::from_millis(40 + round * 37)).await;
        drop(child);
        for made in clients {
            acknowledged.extend(made.await.unwrap());
        }
    }
    assert!(acknowledged.len() > 5, "{} accounts", acknowledged.len());
}

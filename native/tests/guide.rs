//! Every command of the documentation is run.
//!
//! The info string of a block states how: `sh` runs it to its end, beside a gateway; `sh server` starts each gateway in
//! it, and stops it again; `sh elsewhere` needs an environment that the test does not have, so that only the options of
//! this program are checked in it.
#![cfg(all(unix, feature = "history"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;
#[path = "support/tls.rs"]
mod support_tls;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use rustix::process::Signal;
use support::process::{Process, line_with, signal};
use support::{TOKEN, within};
use support_tls::Authority;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

const PROGRAM: &str = "presence-gateway";

struct Block {
    how: String,
    text: String,
}

/// The pages, with the words that name them in a failure.
fn pages() -> Vec<(String, Vec<Block>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files: Vec<PathBuf> = std::fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.push(root.join("README.md"));
    files.sort();
    files
        .iter()
        .map(|file| {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            (name, blocks(&std::fs::read_to_string(file).unwrap()))
        })
        .collect()
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(how) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(Block {
                how: how.to_owned(),
                text: text.join("\n"),
            });
        }
    }
    blocks
}

/// A folder with the files that the pages name, and the program on the PATH.
struct World {
    authority: Authority,
    path: String,
}

impl World {
    fn new() -> Self {
        let authority = Authority::new();
        authority.issue(&["localhost"], |_| {});
        std::fs::rename(authority.path("cert.pem"), authority.path("fullchain.pem")).unwrap();
        authority.write("home.token", TOKEN);
        let folder = Path::new(env!("CARGO_BIN_EXE_presence-gateway"))
            .parent()
            .unwrap();
        let path = format!(
            "{}:{}",
            folder.display(),
            std::env::var("PATH").unwrap_or_default()
        );
        Self { authority, path }
    }

    fn shell(&self, text: &str) -> Command {
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-euc", text])
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", self.authority.path(""))
            .current_dir(self.authority.path(""))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        shell
    }

    /// Runs a block beside a gateway.
    async fn run(&self, text: &str, gateway: &Process, metrics: &str) -> Output {
        let text = text.replace("127.0.0.1:9464", metrics);
        let mut shell = self.shell(&text);
        shell
            .env("GATEWAY", format!("http://{}", gateway.address))
            .env("TOKEN", TOKEN)
            .env("OPENCLAW_GATEWAY_TOKEN", TOKEN)
            .env("OPENCLAW_GATEWAY_PORT", gateway.address.port().to_string());
        within(&text, shell.output()).await.unwrap()
    }

    /// Starts the gateway of a line, on loopback and a free port, and ends it once it listens.
    async fn serve(&self, line: &str) {
        let line = line
            .replace(PROGRAM, &format!("exec {PROGRAM}"))
            .replace("--bind lan", "--bind 127.0.0.1")
            .replace("--port 18790", "--port 0")
            .replace("127.0.0.1:9464", "127.0.0.1:0")
            .replace("nats://10.0.0.5:4222", "nats://127.0.0.1:9");
        let mut gateway = self
            .shell(&line)
            .env("OPENCLAW_GATEWAY_PORT", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(gateway.stdout.take().unwrap()).lines();
        line_with(&mut lines, "open ").await;
        signal(&gateway, Signal::TERM);
        let ended = within(&line, gateway.wait()).await.unwrap();
        assert!(ended.success(), "{line}: {ended}");
    }

    /// Checks that the options of this program exist: `--help` prints only after valid options.
    async fn check(&self, text: &str) -> usize {
        let mut checked = 0;
        for line in text.lines() {
            let command = line.rsplit("| ").next().unwrap_or("");
            let command = command.strip_prefix("sudo ").unwrap_or(command);
            let Some(words) = command.strip_prefix(PROGRAM) else {
                continue;
            };
            let words = words.split('#').next().unwrap_or("");
            let words = words.split(" -- ").next().unwrap_or("");
            let words = words.replace("sha256:HEX", &format!("sha256:{}", "0".repeat(64)));
            let line = format!("{PROGRAM} {words} --help");
            let output = within(&line, self.shell(&line).output()).await.unwrap();
            assert!(output.status.success(), "{line}: {output:?}");
            checked += 1;
        }
        checked
    }
}

#[tokio::test]
async fn every_command_of_the_documentation_works() {
    let world = World::new();
    // Only one gateway can write the history of the documentation.
    let history = world.authority.path("kept.db");
    let history = ["--history", &history.to_string_lossy()];
    let (gateway, mut log) =
        Process::start_logging(&[&["--port", "0", "--metrics-bind", "127.0.0.1:0"], &history[..]].concat())
            .await;
    let line = line_with(&mut log, "metrics are answered").await;
    let metrics = line
        .rsplit_once("address=")
        .expect("the line names it")
        .1
        .to_owned();
    let (mut ran, mut served, mut checked) = (0, 0, 0);
    for (page, blocks) in pages() {
        for Block { how, text } in blocks {
            match how.as_str() {
                "sh" => {
                    let output = world.run(&text, &gateway, &metrics).await;
                    assert!(output.status.success(), "{page}: {text}\n{output:?}");
                    ran += 1;
                }
                "sh server" => {
                    for line in text.lines() {
                        world.serve(line).await;
                        served += 1;
                    }
                }
                "sh elsewhere" => checked += world.check(&text).await,
                _ => assert!(
                    !text
                        .lines()
                        .any(|line| line.starts_with(PROGRAM) || line.starts_with("curl ")),
                    "{page}: say how the block is run: {text}"
                ),
            }
        }
    }
    assert!(
        ran >= 10 && served >= 8 && checked >= 8,
        "{ran} {served} {checked}"
    );
}

//! The gateway as a process of its own.

use std::net::SocketAddr;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::{TOKEN, within};

/// Sends a signal to a process that runs.
pub(crate) fn signal(child: &Child, signal: Signal) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// A gateway that runs until it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Serves at that port; 0 means any.
    pub(crate) async fn start(port: u16) -> Self {
        Self::start_with("", &["--port", &port.to_string()]).await
    }

    /// Serves with these options, after these commands of a shell, such as `ulimit -n 200;`.
    pub(crate) async fn start_with(shell: &str, options: &[&str]) -> Self {
        let program = env!("CARGO_BIN_EXE_presence-gateway");
        let mut child = Command::new("/bin/sh")
            .args(["-c", &format!("{shell} exec \"$0\" serve \"$@\""), program])
            .args(options)
            .env_clear()
            .env("OPENCLAW_GATEWAY_TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = within("the address", lines.next_line()).await.unwrap();
            let line = line.expect("the gateway ended");
            if let Some((_, url)) = line
                .split_once("open ")
                .and_then(|(_, url)| url.split_once("://"))
            {
                break url.split('/').next().unwrap().parse().unwrap();
            }
        };
        Self { child, address }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self::signal(&self.child, signal);
    }

    /// Waits for its end; returns the exit code, if it was not a signal that ended it.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        within("the end", self.child.wait()).await.unwrap().code()
    }

    /// A line of `/proc/PID/status`, in kB.
    #[cfg(target_os = "linux")]
    pub(crate) fn memory_kb(&self, field: &str) -> u64 {
        let pid = self.child.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

//! The gateway as a separate process.

use std::net::SocketAddr;
use std::process::Stdio;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use super::{TOKEN, within};

/// Sends a signal to a process that runs.
pub(crate) fn signal(child: &Child, signal: Signal) {
    kill_process(pid(child), signal).unwrap();
}

fn pid(child: &Child) -> Pid {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap();
    Pid::from_raw(pid).unwrap()
}

/// The next line with these words.
pub(crate) async fn line_with(lines: &mut Lines<impl AsyncBufRead + Unpin>, words: &str) -> String {
    loop {
        let line = within(words, lines.next_line()).await.unwrap();
        let line = line.unwrap_or_else(|| panic!("it ended without {words}"));
        if line.contains(words) {
            return line;
        }
    }
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
        Self::spawn(shell, options, Stdio::null()).await
    }

    /// Serves with these options; returns the lines of its log, too.
    pub(crate) async fn start_logging(options: &[&str]) -> (Self, Lines<BufReader<ChildStderr>>) {
        let mut process = Self::spawn("", options, Stdio::piped()).await;
        let log = BufReader::new(process.child.stderr.take().unwrap()).lines();
        (process, log)
    }

    /// [`start_with`](Self::start_with), with its log to `stderr`.
    pub(crate) async fn spawn(shell: &str, options: &[&str], stderr: Stdio) -> Self {
        let program = env!("CARGO_BIN_EXE_presence-gateway");
        let mut child = Command::new("/bin/sh")
            .args(["-c", &format!("{shell} exec \"$0\" serve \"$@\""), program])
            .args(options)
            .env_clear()
            .env("OPENCLAW_GATEWAY_TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = line_with(&mut lines, "open ").await;
        let url = line.split_once("://").unwrap().1;
        let address = url.split('/').next().unwrap().parse().unwrap();
        Self { child, address }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self::signal(&self.child, signal);
    }

    /// Stops it, and waits until it has stopped.
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
        waitpid(Some(pid(&self.child)), WaitOptions::UNTRACED).unwrap();
    }

    /// Forbids it to open files, or allows as many as its hard limit.
    #[cfg(target_os = "linux")]
    pub(crate) fn can_open_files(&self, can: bool) {
        use rustix::process::{Resource, Rlimit, getrlimit, prlimit};

        let pid = pid(&self.child);
        // Inherited from this process.
        let maximum = getrlimit(Resource::Nofile).maximum;
        // Open ones have the lowest numbers, and the limit is for the next one.
        let open = std::fs::read_dir(format!("/proc/{}/fd", pid.as_raw_pid())).unwrap();
        let current = if can { maximum } else { Some(open.count() as u64) };
        prlimit(Some(pid), Resource::Nofile, Rlimit { current, maximum }).unwrap();
    }

    /// Waits for its end; returns the exit code, if it was not a signal that ended it.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        within("the end", self.child.wait()).await.unwrap().code()
    }

    /// The processor time that it has used, in hundredths of a second.
    #[cfg(target_os = "linux")]
    pub(crate) fn processor_ticks(&self) -> u64 {
        let pid = self.child.id().expect("it runs");
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        // The name before may contain anything.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let times = fields.split(' ').skip(11).take(2);
        times.map(|ticks| ticks.parse::<u64>().unwrap()).sum()
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

//! `watch` on a real terminal, by means of tmux.

use super::*;

/// A server of tmux of this test; ends with it.
struct Tmux(String);

impl Tmux {
    async fn run(&self, arguments: &[&str]) -> String {
        let mut tmux = Command::new("tmux");
        tmux.args(["-L", &self.0, "-f", "/dev/null"])
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "xterm-256color")
            .stdin(Stdio::null());
        let output = within("tmux", tmux.output()).await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    async fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"]).await
    }

    /// Waits until the screen has these words.
    async fn shows(&self, words: &str) -> String {
        within(words, async {
            loop {
                let screen = self.screen().await;
                if screen.contains(words) {
                    return screen;
                }
            }
        })
        .await
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = std::process::Command::new("tmux")
            .args(["-L", &self.0, "kill-server"])
            .stderr(Stdio::null())
            .status();
    }
}

#[tokio::test]
async fn watch_follows_the_size_of_a_terminal_and_restores_it() {
    if Command::new("tmux").arg("-V").output().await.is_err() {
        eprintln!("skipped: there is no tmux");
        return;
    }
    let gateway = start(config());
    let (_first, _) = Client::connect(gateway.address(), "studio", &[]).await;
    let tmux = Tmux(format!("presence-{}", std::process::id()));
    let command = format!(
        "{} watch --url {} --token {}; echo \"ended with $?\"; read -r _",
        env!("CARGO_BIN_EXE_presence-gateway"),
        gateway.url(),
        support::TOKEN
    );
    tmux.run(&[
        "new-session",
        "-d",
        "-x",
        "80",
        "-y",
        "24",
        "/bin/sh",
        "-c",
        &command,
    ])
    .await;
    let screen = tmux.shows("studio").await;
    assert!(
        screen.contains("[Detail]") && screen.lines().count() <= 24,
        "{screen}"
    );
    assert!(!screen.contains("VERSION"), "{screen}");
    // The first row is the gateway's own, which only the gateway itself explains.
    tmux.shows("no client can write it").await;
    // Changes are drawn without a key.
    let (_second, _) = Client::connect(gateway.address(), "laptop", &[]).await;
    tmux.shows("laptop").await;
    tmux.run(&["send-keys", "/", "studio", "Enter"]).await;
    let screen = tmux.shows("filter: studio").await;
    assert!(screen.contains("1 of "), "{screen}");
    tmux.run(&["send-keys", "t"]).await;
    tmux.shows("[Timeline]").await;
    tmux.run(&["resize-window", "-x", "120", "-y", "30"]).await;
    tmux.shows("VERSION").await;
    tmux.run(&["resize-window", "-x", "60", "-y", "12"]).await;
    within("the narrow screen", async {
        while tmux.screen().await.contains("REASON") {}
    })
    .await;
    tmux.run(&["send-keys", "q"]).await;
    let screen = tmux.shows("ended with 0").await;
    assert!(!screen.contains("[Timeline]"), "{screen}");
    gateway.shutdown().await;
}

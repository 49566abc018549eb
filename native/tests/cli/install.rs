//! `install-service`, completions and manual pages.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// The command with a home folder, and a `systemctl` that writes down its arguments.
struct Home(tempfile::TempDir);

impl Home {
    fn new(systemctl: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("systemctl");
        fs::write(
            &path,
            format!("#!/bin/sh\necho \"$@\" >> \"$HOME/calls\"\n{systemctl}\n"),
        )
        .unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        Self(folder)
    }

    async fn install(&self, arguments: &[&str]) -> Output {
        let mut command = program(&[&["install-service"], arguments].concat());
        command.env("HOME", self.0.path()).env("PATH", self.0.path());
        run(command).await
    }

    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.0.path().join(name)).ok()
    }
}

const UNIT: &str = ".config/systemd/user/presence-gateway.service";
const SETTINGS: &str = ".config/openclaw-presence/gateway.env";

#[tokio::test]
async fn a_service_of_a_user_is_installed_twice_with_one_token() {
    let home = Home::new("");
    let plan = home.install(&["--dry-run", "--", "--max-entries", "500"]).await;
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    assert!(
        plan.stdout.contains("serve --max-entries 500\n"),
        "{}",
        plan.stdout
    );
    assert!(
        plan.stdout.contains("run systemctl --user daemon-reload\n"),
        "{}",
        plan.stdout
    );
    assert_eq!((home.read(UNIT), home.read("calls")), (None, None));

    let first = home.install(&["--", "--max-entries", "500"]).await;
    assert_eq!(first.code, 0, "{}", first.stderr);
    let unit = home.read(UNIT).unwrap();
    let start = format!(
        "ExecStart={} serve --max-entries 500\n",
        env!("CARGO_BIN_EXE_presence-gateway")
    );
    assert!(unit.contains(&start), "{unit}");
    let settings = home.read(SETTINGS).unwrap();
    let (_, token) = settings.trim().rsplit_once("OPENCLAW_GATEWAY_TOKEN=").unwrap();
    assert!(
        token.len() >= 32 && !first.stdout.contains(token),
        "{}",
        first.stdout
    );
    let mode = fs::metadata(home.0.path().join(SETTINGS))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    let second = home.install(&[]).await;
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert_eq!(home.read(SETTINGS).unwrap(), settings);
    assert!(home.read(UNIT).unwrap().contains(" serve\n"));
    let once = "--user --quiet show-environment\n--user daemon-reload\n\
                --user enable presence-gateway.service\n--user restart presence-gateway.service\n";
    assert_eq!(home.read("calls").unwrap(), once.repeat(2));
}

#[tokio::test]
async fn a_failed_installation_leaves_no_files() {
    let cases: [(&[&str], i32, &str); 10] = [
        (&["--", "--token", "s3cret"], 2, "--token: other users can read"),
        (
            &["--", "--observe-token=a=s3cret"],
            2,
            "--observe-token: other users can read",
        ),
        (
            &["--", "--cluster", "nats://gw:s3cret@10.0.0.5:4222"],
            2,
            "--cluster: other users can read",
        ),
        (
            &["--", "--cluster=nats://10.0.0.4:4222,nats://s3cret@10.0.0.5:4222"],
            2,
            "put OPENCLAW_GATEWAY_CLUSTER=URL into the settings file",
        ),
        (
            &["--", "--observe", "home=http://10.0.0.5:18789/#token=s3cret"],
            2,
            "--observe: other users can read",
        ),
        (
            &["--", "--webhook", "https://hook.example/s3cret"],
            2,
            "--webhook: other users can read",
        ),
        (
            &["--", "--webhook=https://hook.example?key=s3cret"],
            2,
            "put OPENCLAW_GATEWAY_WEBHOOK=URL into the settings file",
        ),
        (
            &["--", "--max-entries", "1"],
            2,
            "--max-entries: 1 is less than 2",
        ),
        (&["--", "--web-root", "native"], 2, "usage: --web-root"),
        (&["--", "--nonsense"], 2, "--nonsense"),
    ];
    let home = Home::new("");
    for (arguments, code, words) in cases {
        let refused = home.install(arguments).await;
        assert_eq!(refused.code, code, "{arguments:?}: {}", refused.stderr);
        assert!(
            refused.stderr.contains(words),
            "{arguments:?}: {}",
            refused.stderr
        );
        assert!(!refused.stderr.contains("s3cret"), "{}", refused.stderr);
    }
    assert_eq!(home.read("calls"), None);

    let without_manager = Home::new("exit 1");
    let refused = without_manager.install(&[]).await;
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(
        refused
            .stderr
            .contains("systemctl --user --quiet show-environment"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        (without_manager.read(UNIT), without_manager.read(SETTINGS)),
        (None, None)
    );
}

/// A relative path begins in the folder of the command, and that of the service is another one.
#[tokio::test]
async fn relative_paths_are_refused() {
    let home = Home::new("");
    for option in [
        "--observe-tls-ca",
        "--observe-token-file=home",
        "--record",
        "--tls-cert",
        "--tls-key",
        "--tokens",
        "--web-root",
        #[cfg(feature = "history")]
        "--history",
        #[cfg(feature = "cluster")]
        "--cluster-creds",
        #[cfg(feature = "cluster")]
        "--cluster-tls-ca",
        #[cfg(feature = "webhook")]
        "--webhook-secret-file",
        #[cfg(feature = "webhook")]
        "--webhook-tls-ca",
    ] {
        let refused = home.install(&["--", &format!("{option}=some/path")]).await;
        assert_eq!(refused.code, 2, "{option}: {}", refused.stderr);
        let name = option.split('=').next().unwrap();
        let why = format!("usage: {name} some/path: a service needs the whole path");
        assert!(refused.stderr.contains(&why), "{option}: {}", refused.stderr);
    }
    assert_eq!((home.read("calls"), home.read(UNIT)), (None, None));
}

#[cfg(all(feature = "cluster", feature = "webhook"))]
#[tokio::test]
async fn urls_that_hold_no_secret_are_accepted() {
    let home = Home::new("");
    let secret = home.0.path().join("webhook.secret");
    fs::write(&secret, "a secret of some length\n").unwrap();
    let options = [
        "--cluster",
        "nats://10.0.0.4:4222,nats://10.0.0.5:4222",
        "--observe=home=ws://10.0.0.6:18789/path",
        "--webhook",
        "https://hook.example/",
        "--webhook-secret-file",
        secret.to_str().unwrap(),
    ];
    let installed = home.install(&[&["--"], &options[..]].concat()).await;
    assert_eq!(installed.code, 0, "{}", installed.stderr);
    let unit = home.read(UNIT).unwrap();
    assert!(unit.contains("--webhook https://hook.example/"), "{unit}");
}

/// `systemctl reload` sends SIGHUP, which stops a gateway that has nothing to reload.
#[tokio::test]
async fn a_service_is_reloadable_if_its_gateway_is() {
    const TOKENS: &str = "token = \"for reading\"\nscopes = [\"operator.read\"]\n";
    let home = Home::new("");
    let path = |name: &str| home.0.path().join(name).to_str().unwrap().to_owned();
    let (tables, tokens, plain) = (path("tables.toml"), path("tokens.toml"), path("plain.toml"));
    fs::write(&tables, format!("port = 18790\n[tokens.reader]\n{TOKENS}")).unwrap();
    fs::write(&tokens, format!("[reader]\n{TOKENS}")).unwrap();
    fs::write(&plain, "port = 18790\n").unwrap();
    let named = path("named.toml");
    fs::write(&named, format!("tokens = {tokens:?}\n")).unwrap();
    let authority = support_tls::Authority::new();
    authority.issue(&["localhost"], |_| {});
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| authority.path(name));
    let encrypted = path("encrypted.toml");
    fs::write(&encrypted, format!("tls-cert = {cert:?}\ntls-key = {key:?}\n")).unwrap();
    for (arguments, is_reloadable) in [
        (["--tokens", &tokens], true),
        (["--config", &tables], true),
        (["--config", &named], true),
        (["--config", &encrypted], true),
        (["--config", &plain], false),
    ] {
        let mut command = program(&["install-service", "--", arguments[0], arguments[1]]);
        command.env("HOME", home.0.path()).env("PATH", home.0.path());
        // The service does not have the environment of this command.
        command.env("OPENCLAW_GATEWAY_TOKENS", &tokens);
        let installed = run(command).await;
        assert_eq!(installed.code, 0, "{arguments:?}: {}", installed.stderr);
        let unit = home.read(UNIT).unwrap();
        let reload = unit.contains("\nExecReload=/bin/kill -HUP $MAINPID\n");
        assert_eq!(reload, is_reloadable, "{arguments:?}: {unit}");
    }
}

#[tokio::test]
async fn a_unit_written_by_hand_is_not_replaced() {
    let home = Home::new("");
    let path = home.0.path().join(UNIT);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "[Service]\nExecStart=/bin/true\n").unwrap();
    let refused = home.install(&[]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("move it away"), "{}", refused.stderr);
    assert_eq!(home.read(UNIT).unwrap(), "[Service]\nExecStart=/bin/true\n");
    assert_eq!((home.read("calls"), home.read(SETTINGS)), (None, None));
}

#[tokio::test]
async fn completions_and_manual_pages_name_every_command_and_no_secret() {
    let help = run(program(&["--help"])).await.stdout;
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands: Vec<&str> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.contains(&"serve") && commands.len() > 8, "{commands:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let completions = run(program(&["completions", shell])).await.stdout;
        for name in &commands {
            assert!(completions.contains(name), "{shell}: {name}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(&["man", folder.path().to_str().unwrap()]);
    command
        .env("OPENCLAW_GATEWAY_TOKEN", "s3cret")
        .env("OPENCLAW_GATEWAY_URL", "ws://pr1vate");
    let written = run(command).await;
    assert_eq!(written.code, 0, "{}", written.stderr);
    assert_eq!(written.stdout.lines().count(), commands.len() + 1);
    for path in written.stdout.lines() {
        let page = fs::read_to_string(path).unwrap();
        assert!(page.contains(".TH presence-gateway"), "{path}");
        assert!(!page.contains("s3cret") && !page.contains("pr1vate"), "{path}");
    }
}

/// The units that are shipped, and one that is written, by systemd's own check.
#[tokio::test]
async fn systemd_accepts_the_units() {
    let home = Home::new("");
    let written = home.install(&["--", "--ephemeral-mode", "50% $x \"y\""]).await;
    assert_eq!(written.code, 0, "{}", written.stderr);
    let units = [
        ("written.service", home.read(UNIT).unwrap()),
        (
            "system.service",
            include_str!("../../ops/presence-gateway.service").to_owned(),
        ),
        (
            "user.service",
            include_str!("../../ops/presence-gateway.user.service").to_owned(),
        ),
        (
            "system.socket",
            include_str!("../../ops/presence-gateway.socket").to_owned(),
        ),
    ];
    let mut check = Command::new("systemd-analyze");
    check.arg("verify").env("SYSTEMD_LOG_LEVEL", "warning");
    for (name, text) in units {
        let path = home.0.path().join(name);
        // The program of the shipped units need not be installed.
        let text = text
            .replace("/usr/local/bin/presence-gateway", "/bin/true")
            .replace("%h/.cargo/bin/presence-gateway", "/bin/true");
        fs::write(&path, text).unwrap();
        check.arg(path);
    }
    match within("systemd-analyze", check.output()).await {
        Err(error) => println!("skipped: systemd-analyze cannot be run: {error}"),
        Ok(checked) => {
            let stderr = String::from_utf8_lossy(&checked.stderr);
            assert!(checked.status.success() && stderr.is_empty(), "{stderr}");
        }
    }
}

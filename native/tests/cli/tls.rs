//! TLS by the command line.

use super::*;
use crate::support_tls::Authority;

/// The options of a gateway with the pair in the authority's folder.
fn pair(authority: &Authority) -> [String; 4] {
    let path = |name| authority.path(name).to_str().unwrap().to_owned();
    [
        "--tls-cert".into(),
        path("cert.pem"),
        "--tls-key".into(),
        path("key.pem"),
    ]
}

/// `serve` with a random port, the tests' token and these options.
fn serve_with(options: &[String]) -> Command {
    let mut command = program(&["serve", "--port", "0", "--token", support::TOKEN]);
    command.args(options);
    command
}

#[tokio::test]
async fn wrong_files_are_named_with_their_option() {
    let authority = Authority::new();
    authority.issue(&["localhost"], |_| {});
    let [cert, cert_path, key, key_path] = pair(&authority);
    let ca_path = authority.path("ca.pem").to_str().unwrap().to_owned();
    let refused = async |options: &[&String], words: &[&str]| {
        let options: Vec<String> = options.iter().map(|text| (*text).clone()).collect();
        let output = run(serve_with(&options)).await;
        assert_eq!(output.code, 2, "{}", output.stderr);
        for word in words {
            assert!(output.stderr.contains(word), "{word}: {}", output.stderr);
        }
    };
    refused(
        &[&cert, &cert_path],
        &["--tls-cert: its private key is missing: add --tls-key FILE"],
    )
    .await;
    refused(
        &[&key, &key_path],
        &["--tls-key: its certificate is missing: add --tls-cert FILE"],
    )
    .await;
    let none = format!("{cert_path}.none");
    refused(
        &[&cert, &none, &key, &key_path],
        &["--tls-cert: ", &none, "cannot be read"],
    )
    .await;
    refused(
        &[&cert, &key_path, &key, &key_path],
        &["--tls-cert: ", "no certificate in PEM"],
    )
    .await;
    refused(
        &[&cert, &cert_path, &key, &cert_path],
        &["--tls-key: ", "no private key in PEM"],
    )
    .await;
    let other = "does not belong to the certificate in ";
    refused(
        &[&cert, &ca_path, &key, &key_path],
        &["--tls-key: ", other, &ca_path],
    )
    .await;
    refused(
        &[&"--hsts=60".to_owned()],
        &["--hsts: ", "add --tls-cert and --tls-key"],
    )
    .await;
}

/// A gateway with this configuration file, until it writes its log lines.
#[cfg(unix)]
fn logging(
    authority: &Authority,
    text: &str,
    key: &Path,
) -> (Child, impl AsyncFnMut(&str) -> String + use<>) {
    authority.write("gateway.toml", text);
    let config = format!("--config={}", authority.path("gateway.toml").display());
    let mut child = serve_with(&[config])
        .env("OPENCLAW_GATEWAY_TLS_KEY", key)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line_with = async move |words: &str| loop {
        let line = within(words, lines.next_line())
            .await
            .unwrap()
            .expect("the gateway ended");
        if line.contains(words) {
            return line;
        }
    };
    (child, line_with)
}

#[cfg(unix)]
fn hang_up(child: &Child) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_hangup_reads_the_certificate_again_and_keeps_the_old_one_if_that_fails() {
    let authority = Authority::new();
    authority.issue(&["localhost"], |_| {});
    let [_, cert_path, _, key_path] = pair(&authority);
    // The file has the options, too.
    let text = format!("tls-cert = {cert_path:?}\nhsts = 60\n");
    let (mut child, mut line_with) = logging(&authority, &text, Path::new(&key_path));
    let first = line_with("connections are encrypted").await;
    let private = std::fs::read_to_string(&key_path).unwrap();
    authority.write("key.pem", "nothing");
    for failures in 1..3 {
        hang_up(&child);
        let line = line_with("the old certificate stays").await;
        let count = format!("failures={failures}");
        for words in ["WARN", &count, "--tls-key: ", &key_path] {
            assert!(line.contains(words), "{words}: {line}");
        }
    }
    authority.write("key.pem", &private);
    hang_up(&child);
    let line = line_with("the certificate is read").await;
    let fingerprint = line.split_once("fingerprint=").unwrap().1.trim();
    assert!(
        fingerprint.starts_with("sha256:") && first.contains(fingerprint),
        "{first} {line}"
    );
    child.kill().await.unwrap();
}

/// Under Landlock, too: `serve` gives up all files but those in the folders that hold the pair or a link to it.
#[cfg(unix)]
#[tokio::test]
async fn a_renewed_certificate_behind_new_links_is_read() {
    use std::os::unix::fs::symlink;

    let authority = Authority::new();
    let issue = |folder: &str| {
        authority.issue(&["localhost"], |_| {});
        std::fs::create_dir_all(authority.path(folder)).unwrap();
        for name in ["cert.pem", "key.pem"] {
            std::fs::rename(authority.path(name), authority.path(folder).join(name)).unwrap();
        }
    };
    let relink = |target: &str, link: &str| {
        let _ = std::fs::remove_file(authority.path(link));
        symlink(target, authority.path(link)).unwrap();
    };
    // `live/cert.pem` is a link to a file elsewhere, and the key is behind a link to a folder.
    std::fs::create_dir_all(authority.path("live")).unwrap();
    issue("versions/1");
    std::fs::create_dir_all(authority.path("archive")).unwrap();
    std::fs::copy(
        authority.path("versions/1/cert.pem"),
        authority.path("archive/cert1.pem"),
    )
    .unwrap();
    relink("../archive/cert1.pem", "live/cert.pem");
    relink("versions/1", "current");
    let text = format!("tls-cert = {:?}\n", authority.path("live/cert.pem"));
    let (mut child, mut line_with) = logging(&authority, &text, &authority.path("current/key.pem"));
    let first = line_with("connections are encrypted").await;
    issue("versions/2");
    std::fs::copy(
        authority.path("versions/2/cert.pem"),
        authority.path("archive/cert2.pem"),
    )
    .unwrap();
    relink("../archive/cert2.pem", "live/cert.pem");
    relink("versions/2", "current");
    hang_up(&child);
    let line = line_with("SIGHUP: ").await;
    let fingerprint = line.split_once("fingerprint=").expect("it is read").1.trim();
    assert!(!first.contains(fingerprint), "{first} {line}");
    child.kill().await.unwrap();
}

//! An attack that the gateway refuses early is a failure.

use std::io::Write as _;
use std::net::TcpListener;

use super::*;
use crate::ws_frame::{TEXT, server_frame};

const ACCEPTED_HELLO: &str = r#"{"type":"res","id":"1","ok":true,"payload":{"type":"hello-ok"}}"#;
const REFUSED_BEACON: &str =
    r#"{"type":"res","id":"2","ok":false,"error":{"message":"the row is too large"}}"#;

/// A gateway for one client. It answers the client's requests with these texts, in this order, and closes.
fn gateway(answers: &'static [&'static str]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
            .unwrap();
        let challenge = r#"{"type":"event","event":"connect.challenge"}"#;
        stream
            .write_all(&server_frame(TEXT, challenge.as_bytes()))
            .unwrap();
        for answer in answers {
            // A frame of 126 to 65,535 bytes, with a mask.
            let mut header = [0; 8];
            stream.read_exact(&mut header).unwrap();
            assert_eq!(header[1], 0xfe);
            let len = u16::from_be_bytes([header[2], header[3]]);
            stream.read_exact(&mut vec![0; len.into()]).unwrap();
            stream.write_all(&server_frame(TEXT, answer.as_bytes())).unwrap();
        }
    });
    address
}

/// Runs the attack in this thread until it fails or has finished once.
fn run(attack: Attack, answers: &'static [&'static str]) -> Result<(), BenchError> {
    let tally = Arc::new(Tally::default());
    let attacker = Attacker {
        attack,
        address: gateway(answers),
        token: "test-secret".to_owned(),
        tally: Arc::clone(&tally),
    };
    attacker.attempt();
    let attackers = Attackers {
        attack,
        tally,
        threads: Vec::new(),
    };
    attackers.check()
}

#[test]
fn an_attack_whose_rows_are_refused_fails() {
    let failure = run(Attack::Rows(1), &[ACCEPTED_HELLO, REFUSED_BEACON]).unwrap_err();
    let text = failure.to_string();
    assert!(
        text.contains("Rows(1): unexpected answer") && text.contains("the row is too large"),
        "{text}"
    );
}

#[test]
fn an_attack_that_does_not_reach_its_aim_fails() {
    assert!(run(Attack::Joins, &[ACCEPTED_HELLO]).is_ok());
    let failure = run(Attack::Joins, &[]).unwrap_err();
    assert!(
        failure.to_string().contains("has not reached its aim"),
        "{failure}"
    );
}

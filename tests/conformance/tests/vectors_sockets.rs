//! All vectors against a real gateway over real sockets, with the same outcome as on the core.

use std::panic;
use std::sync::{Arc, Mutex};

use presence_conformance::vectors::{CoreTarget, Failure, SocketTarget, Suite, run_suite};

#[test]
fn the_gateway_follows_the_vectors() -> Result<(), Failure> {
    // A panic in a connection's task would close that connection, which a vector may well expect.
    let panics = Arc::new(Mutex::new(Vec::new()));
    let (seen, usual) = (Arc::clone(&panics), panic::take_hook());
    panic::set_hook(Box::new(move |info| {
        usual(info);
        seen.lock().unwrap().push(info.to_string());
    }));

    let suite = Suite::of_the_project()?;
    let over_sockets = run_suite::<SocketTarget>(&suite)?;
    println!("{over_sockets}");
    assert_eq!(*panics.lock().unwrap(), [""; 0], "the gateway panicked");

    let in_the_core = run_suite::<CoreTarget>(&suite)?;
    // The digests say whether they differ; the records say where.
    let mut lines = over_sockets.record.lines().zip(in_the_core.record.lines());
    if let Some((socket, core)) = lines.find(|(socket, core)| socket != core) {
        panic!("the gateway sent\n{socket}\nand the core\n{core}");
    }
    assert_eq!(over_sockets.digest, in_the_core.digest);
    Ok(())
}

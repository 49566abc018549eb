//! Scrapes of the metrics while many clients connect.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::Scenario;
use crate::bench::Bench;
use crate::error::BenchError;
use crate::launcher::free_port;
use crate::stats::{median, ms, percentile};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "scrape",
    title: "scrapes of --metrics-bind while many clients connect at once",
    run,
};

/// Time between two scrapes: much shorter than any collector's.
const PAUSE: Duration = Duration::from_millis(50);
/// Time limit of one scrape, and of all connects.
const SCRAPE_LIMIT: Duration = Duration::from_secs(10);
const LIMIT: Duration = Duration::from_secs(120);

fn run(bench: &mut Bench) -> Result<(), BenchError> {
    if !bench.launcher.is_own() {
        bench
            .report
            .note("scrape: this gateway has no --metrics-bind".to_owned());
        return Ok(());
    }
    let clients = bench.possible(bench.size.idle, 1);
    let metrics = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let options = ["--metrics-bind", &metrics.to_string()];
    let gateway = bench.launcher.start(&bench.profiles, &options)?;
    let mut fleet = bench.launcher.fleet(gateway.address)?;
    let plans = (0..clients)
        .map(|number| bench.profiles.tracked(number, None, true, false))
        .collect();
    bench
        .progress
        .show(&format!("{clients} clients connect, the metrics are read"));
    let is_over = Arc::new(AtomicBool::new(false));
    let scraper = thread::spawn({
        let is_over = Arc::clone(&is_over);
        move || scrape_until(metrics, &is_over)
    });
    let opened = fleet.open(plans, bench.size.concurrency, LIMIT);
    is_over.store(true, Ordering::Relaxed);
    let scrapes = scraper
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("a panic")))?;
    let time = opened?.complete()?;
    bench.report.add("scrape.clients", clients as f64, "clients");
    bench
        .report
        .add("scrape.time", ms(time), "ms until all were connected");
    bench.report.add("scrape.count", scrapes.len() as f64, "scrapes");
    bench.report.add("scrape.p50", median(&scrapes), "ms");
    bench.report.add("scrape.p99", percentile(&scrapes, 99.0), "ms");
    bench
        .report
        .add("scrape.longest", percentile(&scrapes, 100.0), "ms");
    Ok(())
}

/// Scrapes repeatedly. Returns the duration of each scrape, in ms.
fn scrape_until(address: SocketAddr, is_over: &AtomicBool) -> io::Result<Vec<f64>> {
    let mut times = Vec::new();
    while !is_over.load(Ordering::Relaxed) || times.is_empty() {
        let begun = Instant::now();
        scrape(address)?;
        times.push(ms(begun.elapsed()));
        thread::sleep(PAUSE);
    }
    Ok(times)
}

/// One scrape over a connection of its own, which is the slowest case.
fn scrape(address: SocketAddr) -> io::Result<()> {
    let mut socket = TcpStream::connect_timeout(&address, SCRAPE_LIMIT)?;
    socket.set_read_timeout(Some(SCRAPE_LIMIT))?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let is_whole = answer.starts_with("HTTP/1.1 200 ") && answer.contains("# EOF");
    if !is_whole {
        let line = answer.lines().next().unwrap_or("nothing").to_owned();
        return Err(io::Error::other(format!("/metrics answers {line}")));
    }
    Ok(())
}

//! The cost of the roster's operations, which depends on the work only: each at 200, 10,000 and 1,000,000
//! rows, rows taken in no order. `cargo bench -p presence-core --bench roster -- upsert/200`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench that cannot be set up must not measure something else"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use presence_core::model::beacon::Beacon;
use presence_core::roster::{Holder, Roster, RosterConfig, RowId};
use presence_core::{Now, PresenceEntry};

const SIZES: [usize; 3] = [200, 10_000, 1_000_000];
/// Rows never expire, except where expiry is measured.
const TTL_MS: u64 = 1 << 40;
/// Beacons are made in lots of this many, outside the measured time.
const LOT: u64 = 512;

/// A full roster.
struct World {
    roster: Roster,
    rows: Vec<RowId>,
    now: Now,
    made: u64,
    random: u64,
}

impl World {
    fn new(rows: usize) -> Self {
        let now = Now {
            age_ms: 1_000,
            wall_ms: 1_800_000_000_000,
        };
        let config = RosterConfig {
            ttl_ms: TTL_MS,
            max_entries: rows + 1,
            hash_seed: 0x5eed,
        };
        let gateway = PresenceEntry {
            host: Some("gateway".into()),
            ..PresenceEntry::default()
        };
        let mut world = Self {
            roster: Roster::new(config, gateway, now),
            rows: Vec::with_capacity(rows),
            now,
            made: 0,
            random: 1,
        };
        for _ in 0..rows {
            if world.made.is_multiple_of(64) {
                world.now = world.now.after(1);
            }
            let row = world.add();
            world.rows.push(row);
        }
        world
    }

    /// A new row.
    fn add(&mut self) -> RowId {
        let number = self.made;
        self.made += 1;
        self.roster
            .beacon(&beacon(number, 0), Holder::Unlimited, self.now)
            .unwrap()
    }

    /// A random index of a row, uniformly distributed.
    fn draw(&mut self) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.random >> 33) as usize) % self.rows.len()
    }

    /// Beacons of existing rows, as a mac app sends them every three minutes.
    fn beacons(&mut self, count: u64) -> Vec<Beacon> {
        (0..count)
            .map(|round| beacon(self.draw() as u64, round + 1))
            .collect()
    }

    fn upsert(&mut self, beacon: &Beacon) {
        self.roster
            .beacon(black_box(beacon), Holder::Unlimited, self.now)
            .unwrap();
    }
}

fn beacon(number: u64, round: u64) -> Beacon {
    let text = |text: &str| Some(text.into());
    Beacon {
        instance_id: Some(format!("7f3b2a10-1c2d-4e5f-8a9b-{number:012x}").into()),
        host: Some(format!("host-{number}").into()),
        ip: Some(format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255).into()),
        version: text("2026.9.6 (412)"),
        platform: text("macos 26.1.0"),
        device_family: text("Mac"),
        model_identifier: text("Mac16,6"),
        mode: text("local"),
        reason: text("periodic"),
        last_input_seconds: Some(round % 60),
        ..Beacon::new(&format!(
            "Node: host-{number} · app 2026.9.6 (412) · mode local · reason periodic"
        ))
    }
}

/// Measures `iterations` times `measure`, in lots that `prepare` makes outside the measured time.
fn in_lots<T>(
    world: &mut World,
    iterations: u64,
    mut prepare: impl FnMut(&mut World, u64) -> T,
    mut measure: impl FnMut(&mut World, &T),
) -> Duration {
    let mut time = Duration::ZERO;
    let mut left = iterations;
    while left > 0 {
        let count = left.min(LOT);
        left -= count;
        let lot = prepare(world, count);
        let start = Instant::now();
        measure(world, &lot);
        time += start.elapsed();
    }
    time
}

fn bench(criterion: &mut Criterion) {
    for size in SIZES {
        // Created when the first bench of this size runs.
        let mut world: Option<World> = None;
        let make = || {
            let mut world = World::new(size);
            world.roster.encode_list(world.now);
            world
        };
        let mut run = |name: &str, measure: &mut dyn FnMut(&mut World, u64) -> Duration| {
            let mut group = criterion.benchmark_group(name);
            group
                .sample_size(10)
                .warm_up_time(Duration::from_millis(300))
                .measurement_time(Duration::from_millis(900))
                .throughput(Throughput::Elements(1));
            group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
                let world = world.get_or_insert_with(make);
                bencher.iter_custom(|iterations| measure(world, iterations));
            });
        };
        run("upsert", &mut |world, iterations| {
            in_lots(world, iterations, World::beacons, |world, beacons| {
                world.now = world.now.after(1);
                beacons.iter().for_each(|beacon| world.upsert(beacon));
            })
        });
        run("touch", &mut |world, iterations| {
            let draw = |world: &mut World, count| (0..count).map(|_| world.draw()).collect::<Vec<_>>();
            in_lots(world, iterations, draw, |world, drawn| {
                world.now = world.now.after(1);
                for &at in drawn {
                    world.roster.touch(black_box(world.rows[at]), world.now);
                }
            })
        });
        run("list", &mut |world, iterations| {
            one_by_one(world, iterations, |world| {
                world.roster.encode_list(world.now).len()
            })
        });
        run("delta", &mut |world, iterations| {
            world.roster.track_changes(true, world.now);
            one_by_one(world, iterations, |world| {
                world.roster.encode_delta(world.roster.version(), world.now).len()
            })
        });
        run("upsert-tracked", &mut |world, iterations| {
            world.roster.track_changes(true, world.now);
            let time = in_lots(world, iterations, World::beacons, |world, beacons| {
                world.now = world.now.after(1);
                beacons.iter().for_each(|beacon| world.upsert(beacon));
            });
            world.roster.encode_delta(1, world.now);
            time
        });
        run("encode", &mut |world, iterations| {
            world.roster.track_changes(false, world.now);
            (0..iterations)
                .map(|_| {
                    // After a step of the wall clock every row shows another `ts`.
                    world.now.wall_ms += 10_000;
                    world.roster.settle(world.now);
                    let start = Instant::now();
                    black_box(world.roster.encode_list(world.now));
                    start.elapsed()
                })
                .sum()
        });
        run("expire", &mut |world, iterations| expire(world, iterations));
    }
}

/// Measures `measure` after a change, which is not measured.
fn one_by_one(world: &mut World, iterations: u64, measure: impl Fn(&mut World) -> usize) -> Duration {
    (0..iterations)
        .map(|_| {
            let beacon = world.beacons(1).pop().expect("one was asked for");
            world.now = world.now.after(1);
            world.upsert(&beacon);
            let start = Instant::now();
            black_box(measure(world));
            start.elapsed()
        })
        .sum()
}

/// Expires the least fresh rows, those of one moment at once; they are created again outside the measured time.
fn expire(world: &mut World, iterations: u64) -> Duration {
    let mut time = Duration::ZERO;
    let mut gone = 0;
    while gone < iterations {
        let rows = world.roster.len();
        let due_ms = world.roster.poll_timeout().expect("there are rows");
        world.now = world.now.after(due_ms - world.now.age_ms);
        let start = Instant::now();
        world.roster.settle(black_box(world.now));
        time += start.elapsed();
        let expired = rows - world.roster.len();
        gone += expired as u64;
        (0..expired).for_each(|_| {
            world.add();
        });
    }
    time.mul_f64(iterations as f64 / gone as f64)
}

criterion_group!(benches, bench);
criterion_main!(benches);

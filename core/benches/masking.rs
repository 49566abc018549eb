//! The cost of hiding addresses in texts of the largest size that a beacon may have, and of four times that size: four
//! times the work. `cargo bench -p presence-core --bench masking`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use presence_core::model::addresses_in_text::hide_addresses;
use presence_core::model::entry::MAX_TEXT_BYTES;

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hide addresses");
    for (name, part) in [
        ("words", "a plain text "),
        ("addresses", "1.1.1.1a"),
        ("starts of beacons", "node:"),
        ("beacons without an end", "node:a ("),
    ] {
        for size in [MAX_TEXT_BYTES, 4 * MAX_TEXT_BYTES] {
            let text = part.repeat(size / part.len());
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_with_input(BenchmarkId::new(name, size), &text, |bencher, text| {
                bencher.iter(|| hide_addresses(black_box(text)).len());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);

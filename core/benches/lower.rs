//! The cost of the key of an id of 1,024 UTF-16 units, the maximum length, in each kind of script.
//! `cargo bench -p presence-core --bench lower`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use presence_core::PresenceKey;

/// UTF-16 units of an id.
const UNITS: usize = 1_024;

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("key of 1,024 units");
    for (script, part) in [
        ("ASCII", "Inst-A "),
        ("Latin", "ÉÀÖŁ"),
        ("Greek", "ΑΘΗΝΑ "),
        ("Greek, sigmas", "Σ"),
        ("Greek, sigmas and marks", "Σ\u{301}"),
        ("Greek, sigmas and Deseret", "Σ\u{10400}"),
        ("Cyrillic", "МОСКВА"),
        ("Georgian", "\u{1c90}\u{10a0}"),
        ("Cherokee", "\u{13a0}\u{13ef}"),
        ("Turkish dotted I", "İ"),
        ("Deseret", "\u{10400}"),
        ("Adlam", "\u{1e900}"),
        ("Han", "東京"),
    ] {
        let part_units = part.encode_utf16().count();
        let id = part.repeat(UNITS / part_units);
        group.bench_with_input(BenchmarkId::from_parameter(script), &id, |bencher, id| {
            bencher.iter(|| PresenceKey::parse(black_box(id)));
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);

//! What SM2, SM3 and SM4 cost, beside what they replace.
#![allow(missing_docs)] // criterion's macros write functions without documentation

use criterion::{Criterion, criterion_group, criterion_main};

fn sm(criterion: &mut Criterion) {
    for mut job in aecm_benches::sm::jobs() {
        criterion.benchmark_group(job.group).bench_function(job.name, |bencher| bencher.iter(|| (job.run)()));
    }
}

criterion_group!(benches, sm);
criterion_main!(benches);

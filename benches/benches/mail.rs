//! A mail of 10 kB: signed, verified, encrypted, opened.
#![allow(missing_docs)] // criterion's macros write functions without documentation

use criterion::{Criterion, criterion_group, criterion_main};

fn mail(criterion: &mut Criterion) {
    for mut job in aecm_benches::mail::jobs() {
        criterion.benchmark_group(job.group).bench_function(job.name, |bencher| bencher.iter(|| (job.run)()));
    }
}

criterion_group!(benches, mail);
criterion_main!(benches);

//! Photo intake against the plain way with `image` alone (its decoder, its resampling), in one run, with the ratio.
//! `cargo bench --bench photo`; set `BENCH_SECONDS` for longer measurements of the ratio.

#[path = "../fixtures/paint.rs"]
#[allow(dead_code, reason = "the scenes share it")]
mod paint;
#[path = "../fixtures/scenes.rs"]
#[allow(dead_code, reason = "only one scene is needed")]
mod scenes;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image2song::photo::{Decoded, Limits};

const SIDE: usize = 128;
const SIZES: [(&str, u32, u32); 2] = [("1.08 MP", 1200, 900), ("0.19 MP", 500, 375)];

fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = scenes::paint("beach_sunset", width, height);
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&picture).expect("a painted photo can be encoded");
    bytes
}

fn ours(bytes: &[u8]) -> usize {
    let decoded = Decoded::from_bytes(bytes, &Limits::default()).expect("a painted photo decodes");
    decoded.square(SIDE).rgb.len()
}

fn peer(bytes: &[u8]) -> usize {
    let picture = image::load_from_memory(bytes).expect("a painted photo decodes").into_rgb8();
    resize(&picture, SIDE as u32, SIDE as u32, FilterType::Triangle).len()
}

/// Tenth-percentile times of two calls made in turn, so that a change of the machine's load meets both.
fn in_turn(budget: Duration, calls: [&dyn Fn() -> usize; 2]) -> [Duration; 2] {
    let mut times = [Vec::new(), Vec::new()];
    let start = Instant::now();
    while start.elapsed() < budget || times[0].len() < 20 {
        for (times, call) in times.iter_mut().zip(calls) {
            let before = Instant::now();
            black_box(call());
            times.push(before.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort();
        times[times.len() / 10]
    })
}

fn intake(criterion: &mut Criterion) {
    let seconds = std::env::var("BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3.0);
    for (name, width, height) in SIZES {
        let bytes = jpeg(width, height);
        let mut group = criterion.benchmark_group(format!("photo/{name}"));
        group.throughput(Throughput::Elements(u64::from(width) * u64::from(height)));
        group.bench_function("decode and square, ours", |bencher| bencher.iter(|| ours(&bytes)));
        group.bench_function("decode and square, image alone", |bencher| bencher.iter(|| peer(&bytes)));
        let decoded = Decoded::from_bytes(&bytes, &Limits::default()).expect("a painted photo decodes");
        group.bench_function("square only", |bencher| bencher.iter(|| decoded.square(SIDE).rgb.len()));
        group.finish();
        let [own, other] = in_turn(Duration::from_secs_f64(seconds), [&|| ours(&bytes), &|| peer(&bytes)]);
        println!(
            "{name} JPEG ({} KB) to {SIDE} x {SIDE}: ours {:.2} ms, image alone {:.2} ms, ratio {:.2}",
            bytes.len() / 1000,
            own.as_secs_f64() * 1e3,
            other.as_secs_f64() * 1e3,
            own.as_secs_f64() / other.as_secs_f64()
        );
    }
}

criterion_group!(benches, intake);
criterion_main!(benches);

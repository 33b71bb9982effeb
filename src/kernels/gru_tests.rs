use super::*;

fn random(n: usize, scale: f32, rng: &mut fastrand::Rng) -> Vec<f32> {
    (0..n).map(|_| (rng.f32() * 2.0 - 1.0) * scale).collect()
}

struct Case {
    shape: Shape,
    inputs: Vec<f32>,
    weight: Vec<f32>,
    lens: Vec<u32>,
    loss: Vec<f32>,
}

fn case(n_rows: usize, n_steps: usize, n_hidden: usize) -> Case {
    let mut rng = fastrand::Rng::with_seed(7);
    let shape = Shape { n_rows, n_steps, n_hidden };
    Case {
        shape,
        inputs: random(n_rows * n_steps * 3 * n_hidden, 1.5, &mut rng),
        weight: random(3 * n_hidden * n_hidden, 0.6, &mut rng),
        lens: (0..n_rows).map(|_| rng.u32(1..=n_steps as u32)).collect(),
        loss: random(n_rows * n_steps * n_hidden, 1.0, &mut rng),
    }
}

fn states(case: &Case, isa: Isa, order: Order) -> Vec<f32> {
    let mut states = vec![0f32; case.loss.len()];
    forward(isa, case.shape, &case.inputs, &case.weight, &case.lens, order, &mut states);
    states
}

/// Loss over the steps that are no padding, as training has it.
fn loss(case: &Case, order: Order) -> f64 {
    let states = states(case, Isa::SCALAR, order);
    states.iter().zip(&case.loss).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

#[test]
fn tanh_is_close_to_the_library() {
    for i in -200_000..=200_000 {
        let x = i as f32 * 1e-4;
        assert!((tanh(x) - x.tanh()).abs() < 1e-6, "{x}: {} {}", tanh(x), x.tanh());
    }
}

#[test]
fn extensions_agree() {
    for (rows, steps, hidden) in [(1, 1, 1), (3, 5, 7), (33, 4, 16), (40, 9, 48)] {
        let case = case(rows, steps, hidden);
        for order in [Order::Forward, Order::Backward] {
            let expected = states(&case, Isa::SCALAR, order);
            let (d_x, d_w) =
                backward(Isa::SCALAR, case.shape, &case.inputs, &case.weight, &case.lens, order, &expected, &case.loss);
            for isa in Isa::available() {
                let got = states(&case, isa, order);
                let back = backward(isa, case.shape, &case.inputs, &case.weight, &case.lens, order, &got, &case.loss);
                for (got, expected) in [(&got, &expected), (&back.0, &d_x), (&back.1, &d_w)] {
                    let worst = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                    assert!(worst < 1e-4, "{isa:?} {order:?} {rows}x{steps}x{hidden}: {worst}");
                }
            }
        }
    }
}

#[test]
fn gradients_match_finite_differences() {
    for order in [Order::Forward, Order::Backward] {
        let mut case = case(5, 6, 4);
        let states = states(&case, Isa::best(), order);
        let (d_x, d_w) =
            backward(Isa::best(), case.shape, &case.inputs, &case.weight, &case.lens, order, &states, &case.loss);
        let step = 2e-3f32;
        for (i, &found) in d_x.iter().enumerate() {
            let kept = case.inputs[i];
            case.inputs[i] = kept + step;
            let up = loss(&case, order);
            case.inputs[i] = kept - step;
            let down = loss(&case, order);
            case.inputs[i] = kept;
            let slope = (up - down) / (2.0 * f64::from(step));
            assert!((slope - f64::from(found)).abs() < 5e-3, "input {i} {order:?}: {slope} {found}");
        }
        for (i, &found) in d_w.iter().enumerate() {
            let kept = case.weight[i];
            case.weight[i] = kept + step;
            let up = loss(&case, order);
            case.weight[i] = kept - step;
            let down = loss(&case, order);
            case.weight[i] = kept;
            let slope = (up - down) / (2.0 * f64::from(step));
            assert!((slope - f64::from(found)).abs() < 5e-3, "weight {i} {order:?}: {slope} {found}");
        }
    }
}

#[test]
fn padding_changes_no_state() {
    let (short, mut long) = (case(4, 5, 8), case(4, 9, 8));
    long.weight = short.weight.clone();
    long.lens = short.lens.clone();
    for r in 0..4 {
        for t in 0..5 {
            let (from, to) = ((r * 5 + t) * 24, (r * 9 + t) * 24);
            long.inputs[to..to + 24].copy_from_slice(&short.inputs[from..from + 24]);
        }
    }
    for order in [Order::Forward, Order::Backward] {
        let (a, b) = (states(&short, Isa::best(), order), states(&long, Isa::best(), order));
        for r in 0..4 {
            for t in 0..short.lens[r] as usize {
                assert_eq!(a[(r * 5 + t) * 8..][..8], b[(r * 9 + t) * 8..][..8], "{order:?}");
            }
        }
    }
}

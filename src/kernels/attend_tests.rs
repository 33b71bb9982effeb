use super::*;

struct Case {
    shape: Shape,
    words: Vec<f32>,
    queries: Vec<f32>,
    extra: Vec<f32>,
    lens: Vec<u32>,
    loss: Vec<f32>,
}

impl Case {
    fn new(shape: Shape) -> Self {
        let mut rng = fastrand::Rng::with_seed(11);
        let mut random = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.f32() * 2.0 - 1.0).collect() };
        let Shape { n_songs, n_queries, n_words, n_keys, n_states } = shape;
        let words = random(n_songs * n_words * (n_keys + n_states));
        let queries = random((n_queries + 1) * n_keys);
        let extra = random(n_songs * n_queries * n_words);
        let loss = random(n_songs * n_queries * n_states);
        let lens = (0..n_songs).map(|s| (s % n_words + 1) as u32).collect();
        Self { shape, words, queries, extra, lens, loss }
    }

    fn inputs(&self) -> Inputs<'_> {
        Inputs { words: &self.words, queries: &self.queries, extra: &self.extra, lens: &self.lens }
    }

    fn loss(&self) -> f64 {
        let out = forward(Isa::SCALAR, self.shape, &self.inputs());
        out.iter().zip(&self.loss).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }
}

const SMALL: Shape = Shape { n_songs: 5, n_queries: 3, n_words: 4, n_keys: 6, n_states: 7 };

#[test]
fn gradients_match_finite_differences() {
    let mut case = Case::new(SMALL);
    let gradients = backward(Isa::best(), case.shape, &case.inputs(), &case.loss);
    type Field = fn(&mut Case) -> &mut Vec<f32>;
    let fields: [(Field, Vec<f32>); 3] = [
        (|c| &mut c.words, gradients.words),
        (|c| &mut c.queries, gradients.queries),
        (|c| &mut c.extra, gradients.extra),
    ];
    for (field, gradient) in fields {
        for (i, expected) in gradient.iter().enumerate() {
            let step = 2e-3f32;
            let kept = field(&mut case)[i];
            field(&mut case)[i] = kept + step;
            let up = case.loss();
            field(&mut case)[i] = kept - step;
            let down = case.loss();
            field(&mut case)[i] = kept;
            let slope = (up - down) / (2.0 * f64::from(step));
            assert!((slope - f64::from(*expected)).abs() < 2e-3, "{i}: {slope} {expected}");
        }
    }
}

#[test]
fn extensions_agree() {
    for shape in [SMALL, Shape { n_songs: 37, n_queries: 2, n_words: 9, n_keys: 48, n_states: 96 }] {
        let case = Case::new(shape);
        let expected = forward(Isa::SCALAR, shape, &case.inputs());
        let expected_back = backward(Isa::SCALAR, shape, &case.inputs(), &case.loss);
        for isa in Isa::available() {
            let got = forward(isa, shape, &case.inputs());
            let back = backward(isa, shape, &case.inputs(), &case.loss);
            let pairs = [
                (&got, &expected),
                (&back.words, &expected_back.words),
                (&back.queries, &expected_back.queries),
                (&back.extra, &expected_back.extra),
            ];
            for (got, expected) in pairs {
                let worst = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst < 1e-4, "{isa:?}: {worst}");
            }
        }
    }
}

#[test]
fn weights_sum_to_one_and_ignore_padding() {
    let shape = Shape { n_songs: 1, n_queries: 1, ..SMALL };
    let mut case = Case::new(shape);
    case.lens = vec![3];
    let before = weights(shape, &case.inputs());
    assert!((before.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{before:?}");
    case.extra[3] = 50.0;
    assert_eq!(before, weights(shape, &case.inputs()));
}

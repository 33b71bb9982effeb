//! Chance that comes out the same for the same seed.

/// A number from the standard normal distribution (Box and Muller 1958).
pub fn normal(rng: &mut fastrand::Rng) -> f32 {
    let (radius, angle) = ((-2.0 * (1.0 - rng.f32()).ln()).sqrt(), std::f32::consts::TAU * rng.f32());
    radius * angle.cos()
}

/// A generator of its own for each thing with a name, so that one thing more does not shift all that follow.
pub fn own(seed: u64, kind: u64, name: u64) -> fastrand::Rng {
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
    for part in [kind, name] {
        state = (state ^ part).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state ^= state >> 31;
    }
    fastrand::Rng::with_seed(state)
}

/// `1 / (1 + e^-x)`.
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

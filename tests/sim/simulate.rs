//! The loop in a made-up world: what a fine-tuned model is worth, from how many likes on, what the estimates say of it, and
//! what vandals do to others. Prints tables for `docs/SIMULATION.md` and writes `docs/simulation.svg`:
//! `cargo bench --bench sim -- [sizes] [rounds] [estimates] [vandals] [--seeds N] [--runs N]`.

mod chance;
mod estimates;
mod ground;
mod nature;
mod plot;
mod runs;

use ground::Ground;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str, default: u64| {
        let at = words.iter().position(|word| word == name);
        at.and_then(|at| words.get(at + 1)?.parse().ok()).unwrap_or(default)
    };
    let names = ["sizes", "rounds", "estimates", "vandals"];
    let has_names = words.iter().any(|word| names.contains(&word.as_str()));
    let is_asked = |name: &str| !has_names || words.iter().any(|word| word == name);
    let Some(ground) = Ground::load() else {
        println!("there is no model to learn with");
        return;
    };
    let n_seeds = value("--seeds", 3);
    let mut drawing = plot::Drawing::default();
    if is_asked("estimates") {
        estimates::run(&ground, value("--runs", 100));
    }
    if is_asked("sizes") {
        drawing.sizes = runs::sizes(&ground, n_seeds);
    }
    if is_asked("rounds") {
        drawing.rounds = runs::rounds(&ground, n_seeds);
    }
    if is_asked("vandals") {
        runs::vandals(&ground, n_seeds);
    }
    if !drawing.sizes.is_empty() && !drawing.rounds.is_empty() {
        drawing.write();
    }
}

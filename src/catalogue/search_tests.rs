use super::*;

#[test]
fn names_are_folded() {
    for (name, folded) in [
        ("Beyoncé & JAY-Z", "beyonce and jay z"),
        ("Don't Stop (Remix)", "dont stop remix"),
        ("Ágætis byrjun", "agaetis byrjun"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("桜の木", "桜の木"),
        ("...", ""),
    ] {
        assert_eq!(fold(name), folded, "{name}");
    }
}

#[test]
fn typing_errors_are_counted() {
    for (a, b, max, expected) in [
        ("beach", "beach", 1, Some(0)),
        ("beach", "baech", 1, Some(1)),
        ("beach", "beech", 1, Some(1)),
        ("beach", "beaches", 1, None),
        ("beach", "beaches", 2, Some(2)),
        ("sea", "see", 0, None),
        ("", "ab", 2, Some(2)),
    ] {
        let letters = |word: &str| word.chars().collect::<Vec<char>>();
        assert_eq!(n_errors(&letters(a), &letters(b), max), expected, "{a} {b}");
    }
}

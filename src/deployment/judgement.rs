//! What was found of a model before anybody saw it: the part of `judgement.json` that decides about its promotion.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use crate::manifest::Manifest;

/// Name of the file in a model folder.
pub const FILE_NAME: &str = "judgement.json";

/// A model's judgement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Judgement {
    /// Whether the model may be shown to people.
    pub passes: bool,
    /// Why not, or what to know all the same.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// [`Manifest::weights_digest`] of the model that was judged.
    pub digest: String,
}

/// Why the model in a folder may not be promoted, one sentence each; none if it may.
pub fn objections(dir: &Path, manifest: &Manifest) -> Vec<String> {
    let path = dir.join(FILE_NAME);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return vec![format!(
                "{} was never judged: it has no {FILE_NAME}; `image2song eval policy --write` makes one",
                dir.display()
            )];
        }
        Err(error) => return vec![format!("{} cannot be read: {error}", path.display())],
    };
    let judgement: Judgement = match serde_json::from_str(&text) {
        Ok(judgement) => judgement,
        Err(error) => return vec![format!("{} is no judgement: {error}", path.display())],
    };
    if judgement.digest != manifest.weights_digest() {
        return vec![format!(
            "{} is about other weights than those in the folder; judge it anew with `image2song eval policy --write`",
            path.display()
        )];
    }
    match (judgement.passes, judgement.reasons.is_empty()) {
        (true, _) => Vec::new(),
        (false, true) => vec![format!("{} says that it fails", path.display())],
        (false, false) => judgement.reasons,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_passing_judgement_of_these_weights_lets_a_model_through() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("matcher.safetensors"), "weights").unwrap();
        let manifest = Manifest::of_folder(dir.path(), "ours", "1").unwrap();
        let objections = |text: Option<String>| {
            if let Some(text) = text {
                fs::write(dir.path().join(FILE_NAME), text).unwrap();
            }
            objections(dir.path(), &manifest)
        };
        assert!(objections(None)[0].contains("never judged"));
        let digest = manifest.weights_digest();
        let judged = |passes: bool, digest: &str| {
            let reasons = if passes { "[]" } else { "[\"nDCG fell by .03\", \"two filters leak\"]" };
            Some(format!("{{\"passes\":{passes},\"reasons\":{reasons},\"digest\":\"{digest}\",\"more\":1}}"))
        };
        assert_eq!(objections(judged(true, &digest)), [""; 0]);
        assert_eq!(objections(judged(false, &digest)), ["nDCG fell by .03", "two filters leak"]);
        assert!(objections(judged(true, "00"))[0].contains("other weights"));
        assert!(objections(Some("{}".to_owned()))[0].contains("no judgement"));
        // The digest is the same with the judgement in the folder, and another with other weights.
        assert_eq!(Manifest::of_folder(dir.path(), "ours", "2").unwrap().weights_digest(), digest);
        fs::write(dir.path().join("taste.safetensors"), "more").unwrap();
        assert_ne!(Manifest::of_folder(dir.path(), "ours", "1").unwrap().weights_digest(), digest);
    }
}

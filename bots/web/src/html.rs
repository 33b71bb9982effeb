//! HTML templates with named places.

/// A template with `{{name}}` replaced by values that are HTML already. One pass: what a value brings is not looked at
/// again. A name without a value stays as it is.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let found = after.split_once("}}").and_then(|(name, left)| {
            let value = values.iter().find(|(known, _)| *known == name)?.1;
            Some((value, left))
        });
        match found {
            Some((value, left)) => {
                filled.push_str(value);
                rest = left;
            }
            None => {
                filled.push_str("{{");
                rest = after;
            }
        }
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_filled_again() {
        assert_eq!(fill("<{{a}}|{{b}}|{{c}}|{{", &[("a", "{{b}}"), ("b", "2")]), "<{{b}}|2|{{c}}|{{");
    }
}

//! What a browser may do with the page: run the script and the styles that were made with it, and nothing else.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

/// The content security policy: nothing is fetched from anywhere, and a script that got into the page through a name of
/// the target is not run, whatever was overlooked.
pub fn content_security_policy(styles: &[&str], script: &str) -> String {
    let styles: Vec<String> = styles.iter().map(|style| source(style)).collect();
    format!(
        "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
        source(script),
        styles.join(" ")
    )
}

/// The name by which the policy knows the content of an element.
fn source(content: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(content)))
}

#[cfg(test)]
mod tests {
    use super::content_security_policy;

    #[test]
    fn allows_what_has_these_hashes() {
        // Of the script `alert('Hello, world.');`, from the specification (CSP Level 3, section 8.2).
        assert_eq!(
            content_security_policy(&[""], "alert('Hello, world.');"),
            "default-src 'none'; script-src 'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='; \
             style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; base-uri 'none'; form-action 'none'"
        );
    }
}

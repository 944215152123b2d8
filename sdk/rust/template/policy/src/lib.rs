//! Keeps agents away from files that hold secrets.

use serde_json::Value;
use vak_sdk::policy::{Action, Description, Effect, Finding, JudgeError, Policy};

const SECRET_FILES: [&str; 6] = [".env", ".netrc", ".npmrc", "credentials", "id_ed25519", "id_rsa"];

#[derive(Default)]
struct Secrets;

// Runs without clock, randomness and files: the answer depends on the action
// alone. A panic counts as a forbid.
impl Policy for Secrets {
    fn evaluate(&self, action: &Action) -> Result<Finding, JudgeError> {
        let arguments = serde_json::from_str(&action.arguments);
        let arguments: Value = arguments.map_err(|_| JudgeError::Mistyped("arguments".to_owned()))?;
        Ok(match secret_in(&arguments) {
            Some(path) => Finding::forbid("no-secrets", format!("`{path}` holds secrets")),
            None => Finding::abstain(),
        })
    }

    fn describe(&self) -> Description {
        Description::of("Keeps agents away from files that hold secrets.").rule(
            "no-secrets",
            Effect::Forbid,
            "No argument names a file with secrets.",
        )
    }
}

/// The first string in a JSON value that names a file with secrets.
fn secret_in(value: &Value) -> Option<&str> {
    match value {
        Value::String(path) => names_secret(path).then_some(path),
        Value::Array(values) => values.iter().find_map(secret_in),
        Value::Object(values) => values.values().find_map(secret_in),
        _ => None,
    }
}

fn names_secret(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    SECRET_FILES.contains(&name) || name.starts_with(".env.") || name.ends_with(".pem")
}

vak_sdk::export_policy!(Secrets);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_secrets_by_their_name() {
        for (path, secret) in [("/work/.env", true), ("C:\\Keys\\ID_RSA", true), ("server.pem", true), ("env", false)] {
            assert_eq!(names_secret(path), secret, "{path}");
        }
    }
}

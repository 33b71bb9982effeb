//! Secrets from the environment, or from files that the environment names; never from arguments or settings.

use std::env;
use std::fs;
use std::path::Path;

use secrecy::SecretString;

use super::fault::SetupFault;
use crate::feedback::store::key_from_environment;

/// The secret in a variable, or in the file that `<variable>_FILE` names, read as the feedback store's keys are, so that
/// `serve` and `feedback` find the same key; `None` if neither is set. A variable that is set to nothing counts as not set.
///
/// # Errors
/// Both are set, or the file cannot be read or is empty.
pub fn secret(variable: &'static str) -> Result<Option<SecretString>, SetupFault> {
    let set = |name: &str| env::var(name).ok().filter(|text| !text.trim().is_empty());
    key_from_environment(variable, set).map_err(SetupFault::from_error)
}

/// The key of people's hashes: the given one, or one that is made at the first start and kept in `path`, readable by this
/// user only. Losing it means that nobody's settings, wishes and old buttons are found again.
///
/// # Errors
/// The file can be neither read nor made.
pub fn user_key(path: &Path) -> Result<SecretString, SetupFault> {
    if let Some(key) = secret("IMAGE2SONG_USER_KEY")? {
        return Ok(key);
    }
    let fault = |fault: std::io::Error| {
        SetupFault::new(format!(
            "the key of people's hashes in {} cannot be used: {fault}; set IMAGE2SONG_USER_KEY or mend the folder",
            path.display()
        ))
    };
    match fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => Ok(text.trim().to_owned().into()),
        Ok(_) => Err(fault(std::io::Error::other("it is empty"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).map_err(|error| fault(std::io::Error::other(error.to_string())))?;
            let key: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            write_private(path, &key).map_err(fault)?;
            tracing::warn!(
                path = %path.display(),
                "a key for people's hashes was made; keep it safe and apart from backups of the store, or set IMAGE2SONG_USER_KEY"
            );
            Ok(key.into())
        }
        Err(error) => Err(fault(error)),
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/user.key");
        let key = user_key(&path).unwrap();
        assert_eq!(key.expose_secret().len(), 64);
        assert_eq!(user_key(&path).unwrap().expose_secret(), key.expose_secret());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&path, " \n").unwrap();
        assert!(user_key(&path).unwrap_err().to_string().contains("empty"));
    }
}

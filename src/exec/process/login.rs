//! `su` and `runuser` without `-u`: they start a user's shell (util-linux `login-utils/su-common.c`; busybox `loginutils/su.c`).

use crate::exec::shell::Value;

/// What is asked of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: Vec<u8>,
    /// `-s`; else it is the user's own.
    pub(super) shell: Option<Vec<u8>>,
    /// `-c`: a text for the shell.
    text: Option<Value>,
    /// Further words for the shell.
    words: Vec<Value>,
    /// `-` or `-l`: as if the user had just logged in.
    pub(super) is_fresh: bool,
}

impl Login {
    /// Reads their words, without the name. `None` where one that matters is not known or not understood.
    pub(super) fn read(mut words: &[Value]) -> Option<Self> {
        let mut login = Self { user: b"root".to_vec(), shell: None, text: None, words: Vec::new(), is_fresh: false };
        let mut is_named = false;
        // Options may stand behind the user too, up to `--`.
        while let Some((first, rest)) = words.split_first() {
            let word = first.as_deref()?;
            match word {
                b"--" => {
                    words = rest;
                    break;
                }
                b"-" | b"-l" | b"--login" => (login.is_fresh, words) = (true, rest),
                b"-m" | b"-p" | b"--preserve-environment" | b"-P" | b"--pty" => words = rest,
                b"-c" | b"--command" | b"--session-command" => {
                    login.text = Some(rest.first()?.clone());
                    words = rest.get(1..)?;
                }
                b"-s" | b"--shell" => {
                    login.shell = Some(rest.first()?.clone()?);
                    words = rest.get(1..)?;
                }
                b"-g" | b"-G" | b"-w" | b"--group" | b"--supp-group" | b"--whitelist-environment" => words = rest.get(1..)?,
                _ if word.starts_with(b"--command=") => {
                    login.text = Some(Some(word.get(10..)?.to_vec()));
                    words = rest;
                }
                _ if word.starts_with(b"--shell=") => {
                    login.shell = Some(word.get(8..)?.to_vec());
                    words = rest;
                }
                _ if word.starts_with(b"-") => return None,
                _ if is_named => {
                    login.words.push(first.clone());
                    words = rest;
                }
                _ => {
                    (login.user, is_named) = (word.to_vec(), true);
                    words = rest;
                }
            }
        }
        let mut rest = words.iter().cloned();
        if !is_named && let Some(user) = rest.next() {
            login.user = user?;
        }
        login.words.extend(rest);
        Some(login)
    }

    /// The words of the shell, which goes by this name.
    pub(super) fn argv(self, shell: Vec<u8>) -> Vec<Value> {
        let text = self.text.into_iter().flat_map(|text| [Some(b"-c".to_vec()), text]);
        [Some(shell)].into_iter().chain(text).chain(self.words).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Login;

    fn argv(text: &str) -> Option<String> {
        let words: Vec<_> = text.split('|').map(|word| Some(word.as_bytes().to_vec())).collect();
        let login = Login::read(&words)?;
        let user = String::from_utf8(login.user.clone()).unwrap();
        let shell = login.shell.clone().unwrap_or_else(|| b"SHELL".to_vec());
        let words = login.argv(shell).into_iter().map(|word| String::from_utf8(word.unwrap()).unwrap());
        Some(format!("{user}: {}", words.collect::<Vec<_>>().join(" ")))
    }

    #[test]
    fn a_users_shell_gets_the_text_and_the_words() {
        assert_eq!(argv("web|-c|app x").as_deref(), Some("web: SHELL -c app x"));
        assert_eq!(argv("-s|/bin/sh|web|-c|app|a|b").as_deref(), Some("web: /bin/sh -c app a b"));
        assert_eq!(argv("--shell=/bin/bash|--command=app|web").as_deref(), Some("web: /bin/bash -c app"));
        assert_eq!(argv("web|--|-x|y").as_deref(), Some("web: SHELL -x y"));
        assert_eq!(argv("-c|id").as_deref(), Some("root: SHELL -c id"));
        assert_eq!(argv("--nonsense|web"), None);
        assert!(Login::read(&[Some(b"-".to_vec()), Some(b"web".to_vec())]).unwrap().is_fresh);
    }
}

//! Programs that start other programs, as `rules/data/wrappers.toml` lists them.

use std::sync::LazyLock;

use serde::Deserialize;

use super::shell::Value;

/// A program that becomes or runs the one that its words name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wrapper {
    names: Vec<String>,
    #[serde(default)]
    options: Vec<String>,
    /// How many words of its own stand before the program.
    #[serde(default)]
    pub(super) words: usize,
    /// Which of them names a user.
    pub(super) user: Option<usize>,
    /// Which of them is the program's root directory.
    pub(super) root: Option<usize>,
    /// Options that name a user to be in all, or in number only, and a group.
    #[serde(default)]
    pub(super) users: Vec<String>,
    #[serde(default)]
    pub(super) uids: Vec<String>,
    #[serde(default)]
    pub(super) gids: Vec<String>,
    #[serde(default)]
    assignments: bool,
    pub(super) fallback: Fallback,
    says: Option<String>,
    busybox: Option<String>,
}

/// What is done where the kernel says ENOEXEC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fallback {
    /// What the C library's execvp does.
    Libc,
    /// What shells do: they read the file themselves.
    Shell,
    /// Nothing.
    Never,
}

/// A program that reads a file of instructions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Interpreter {
    names: Vec<String>,
    #[serde(default)]
    options: Vec<String>,
    #[serde(default)]
    inline: Vec<String>,
    file: Option<String>,
    #[serde(default)]
    pub(super) endings: Vec<String>,
    pub(super) says: String,
    pub(super) exits: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Supervisor {
    names: Vec<String>,
    /// They run the scripts of package.json.
    #[serde(default)]
    packages: bool,
}

/// Programs that start a user's shell.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    names: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    wrapper: Vec<Wrapper>,
    login: Vec<Login>,
    interpreter: Vec<Interpreter>,
    supervisor: Vec<Supervisor>,
}

// Text that was compiled in and that a test reads: it parses, or the test fails.
static TABLES: LazyLock<Tables> =
    LazyLock::new(|| toml::from_str(include_str!("../../rules/data/wrappers.toml")).unwrap_or_default());

/// The wrapper of this name.
pub(super) fn wrapper(name: &str) -> Option<&'static Wrapper> {
    TABLES.wrapper.iter().find(|row| row.names.iter().any(|own| own == name))
}

/// The interpreter of this name; versions behind it (`python3.11`) do not count.
pub(super) fn interpreter(name: &str) -> Option<&'static Interpreter> {
    let plain = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let is_own = |own: &String| own == name || own == plain;
    TABLES.interpreter.iter().find(|row| row.names.iter().any(is_own))
}

/// Whether a program starts a user's shell.
pub(super) fn logs_in(name: &str) -> bool {
    TABLES.login.iter().any(|row| row.names.iter().any(|own| own == name))
}

/// Whether a program starts others by rules of its own.
pub(super) fn is_supervisor(name: &str) -> bool {
    TABLES.supervisor.iter().any(|row| row.names.iter().any(|own| own == name))
}

/// Whether a program runs the scripts of package.json.
pub(super) fn is_package_manager(name: &str) -> bool {
    TABLES.supervisor.iter().any(|row| row.packages && row.names.iter().any(|own| own == name))
}

/// What a wrapper makes of its words: where its own words and the program begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Split<'a> {
    /// Options that take a word, with it.
    options: Vec<(&'a [u8], Value)>,
    pub(super) assignments: Vec<&'a [u8]>,
    pub(super) own: &'a [Value],
    pub(super) program: &'a [Value],
    /// It starts with an empty environment (`env -i`).
    pub(super) clears: bool,
}

impl Split<'_> {
    /// The word of the last of these options.
    pub(super) fn option(&self, names: &[String]) -> Option<&Value> {
        let is_named = |name: &[u8]| names.iter().any(|own| own.as_bytes() == name);
        self.options.iter().rev().find(|(name, _)| is_named(name)).map(|(_, word)| word)
    }
}

impl Wrapper {
    /// Whether one of its options names the user.
    pub(super) fn names_user(&self, argv: &[Value]) -> bool {
        self.split(argv).is_some_and(|split| split.option(&self.users).is_some())
    }

    /// `env -S 'WORD WORD'`, which stands for its words. Where it has quotes or variables of its own it is not understood.
    pub(super) fn unpacked(&self, argv: &[Value]) -> Option<Vec<Value>> {
        let mut words = Vec::new();
        let mut rest = argv.iter();
        while let Some(word) = rest.next() {
            let text = word.as_deref().unwrap_or_default();
            let packed = ["--split-string=", "-vS", "-S"].iter().find_map(|option| text.strip_prefix(option.as_bytes()));
            match packed.filter(|_| self.assignments && words.is_empty()) {
                None => {
                    words.push(word.clone());
                    break;
                }
                Some(packed) => {
                    let packed = if packed.is_empty() { rest.next()?.as_deref()? } else { packed };
                    if packed.iter().any(|byte| matches!(byte, b'"' | b'\'' | b'\\' | b'$' | b'#')) {
                        return None;
                    }
                    let parts = packed.split(u8::is_ascii_whitespace).filter(|part| !part.is_empty());
                    words.extend(parts.map(|part| Some(part.to_vec())));
                }
            }
        }
        words.extend(rest.cloned());
        Some(words)
    }

    /// Takes `argv`, without the name, apart. `None` where an option is not understood or a word is not known.
    pub(super) fn split<'a>(&self, mut argv: &'a [Value]) -> Option<Split<'a>> {
        let mut clears = false;
        let mut options = Vec::new();
        while let Some((first, rest)) = argv.split_first() {
            let word = first.as_deref()?;
            match word {
                b"--" => {
                    argv = rest;
                    break;
                }
                b"-" | b"-i" | b"--ignore-environment" if self.assignments => {
                    clears = true;
                    argv = rest;
                }
                _ if self.options.iter().any(|option| option.as_bytes() == word) => {
                    options.push((word, rest.first()?.clone()));
                    argv = rest.get(1..)?;
                }
                _ if word.starts_with(b"-") && word.len() > 1 => {
                    // `--option=word`.
                    let end = word.iter().position(|byte| *byte == b'=');
                    if let Some((name, [_, text @ ..])) = end.and_then(|end| word.split_at_checked(end)) {
                        options.push((name, Some(text.to_vec())));
                    }
                    argv = rest;
                }
                _ => break,
            }
        }
        let mut assignments = Vec::new();
        while let Some((Some(word), rest)) = argv.split_first() {
            if !self.assignments || !word.contains(&b'=') {
                break;
            }
            assignments.push(word.as_slice());
            argv = rest;
        }
        let (own, program) = argv.split_at_checked(self.words)?;
        Some(Split { options, assignments, own, program, clears })
    }

    /// What it prints of a program that it cannot start.
    pub(super) fn says(&self, is_busybox: bool) -> Option<&str> {
        if is_busybox { self.busybox.as_deref() } else { self.says.as_deref() }
    }
}

impl Interpreter {
    /// The file that it is to read; `None` where there is none or it is not known.
    pub(super) fn file<'a>(&self, mut argv: &'a [Value]) -> Option<&'a [u8]> {
        while let Some((first, rest)) = argv.split_first() {
            let word = first.as_deref()?;
            let is = |list: &[String]| list.iter().any(|option| option.as_bytes() == word);
            if self.file.as_ref().is_some_and(|option| option.as_bytes() == word) {
                return rest.first()?.as_deref();
            }
            if is(&self.inline) || word.is_empty() {
                return None;
            }
            if is(&self.options) {
                argv = rest.get(1..)?;
            } else if word.starts_with(b"-") {
                argv = rest;
            } else {
                return self.file.is_none().then_some(word);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{TABLES, Value, interpreter, is_supervisor, wrapper};

    fn words(text: &str) -> Vec<Value> {
        text.split(' ').map(|word| Some(word.as_bytes().to_vec())).collect()
    }

    fn program(name: &str, text: &str) -> Option<String> {
        let wrapper = wrapper(name).unwrap();
        let words = wrapper.unpacked(&words(text))?;
        let split = wrapper.split(&words)?;
        Some(split.program.iter().map(|word| String::from_utf8(word.clone().unwrap()).unwrap()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn the_tables_are_read() {
        assert!(TABLES.wrapper.len() > 10 && TABLES.interpreter.len() > 4 && is_supervisor("npm"));
    }

    #[test]
    fn the_program_is_found_behind_options_and_words() {
        assert_eq!(program("tini", "-g -- /app x").as_deref(), Some("/app x"));
        assert_eq!(program("tini", "-p SIGTERM /app").as_deref(), Some("/app"));
        assert_eq!(program("gosu", "redis redis-server --port 1").as_deref(), Some("redis-server --port 1"));
        assert_eq!(program("env", "-u A B=1 C=2 app D=3").as_deref(), Some("app D=3"));
        assert_eq!(program("timeout", "-k 5 10 app").as_deref(), Some("app"));
        assert_eq!(program("env", "-S node --flag x").as_deref(), Some("node --flag x"));
        assert_eq!(program("env", "-Snode -x").as_deref(), Some("node -x"));
        assert_eq!(program("env", "-S node \"x\"").as_deref(), Some("node \"x\""), "only the packed word is split");
        assert_eq!(program("env", "-S$HOME/x"), None);
        assert_eq!(program("gosu", "redis").as_deref(), Some(""));
        assert_eq!(program("runuser", "-u web -- app x").as_deref(), Some("app x"));
        assert_eq!(program("chroot", "--userspec=web / app x").as_deref(), Some("app x"));
        assert_eq!(program("xvfb-run", "-a --server-args=x -n 5 app x").as_deref(), Some("app x"));
        let words = words("--reuid=web --regid 33 app");
        let split = wrapper("setpriv").unwrap().split(&words).unwrap();
        assert_eq!(split.option(&["--reuid".to_owned()]), Some(&Some(b"web".to_vec())));
        assert_eq!(split.option(&["--regid".to_owned()]), Some(&Some(b"33".to_vec())));
    }

    #[test]
    fn the_file_of_an_interpreter_is_its_first_word() {
        let file =
            |name: &str, text: &str| interpreter(name)?.file(&words(text)).map(|file| String::from_utf8(file.to_vec()).unwrap());
        assert_eq!(file("python3.11", "-u app.py x").as_deref(), Some("app.py"));
        assert_eq!(file("python3", "-m http.server"), None);
        assert_eq!(file("java", "-Xmx1g -jar /app.jar").as_deref(), Some("/app.jar"));
        assert_eq!(file("java", "-cp x Main"), None);
        assert_eq!(file("node", "--require ./a server").as_deref(), Some("server"));
        assert_eq!(file("bash", "x"), None);
    }
}

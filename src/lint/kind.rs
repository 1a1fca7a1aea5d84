/// The kinds of files that are linted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What a builder runs.
    Dockerfile,
}

/// How the names of Dockerfiles begin, in lower case.
const NAMES: [&str; 2] = ["dockerfile", "containerfile"];

/// What the names of files end in that are named after a Dockerfile and are none: ignore lists, texts about it, and templates,
/// which are none before something has filled them.
const OTHERS: &[&str] = &[
    "dockerignore",
    "containerignore",
    "md",
    "rst",
    "txt",
    "sh",
    "py",
    "rb",
    "go",
    "js",
    "ts",
    "rs",
    "json",
    "yaml",
    "yml",
    "toml",
    "xml",
    "html",
    "sha256",
    "orig",
    "rej",
    "bak",
    "swp",
    "template",
    "tmpl",
    "tpl",
    "gotmpl",
    "j2",
    "jinja",
    "jinja2",
    "erb",
    "mustache",
    "hbs",
    "in",
    "m4",
    "ejs",
];

impl Kind {
    /// What a file is by its name: `Dockerfile`, `Dockerfile.arm64`, `Dockerfile-debian`, `app.Dockerfile` and the same with
    /// `Containerfile`.
    pub fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        if OTHERS.contains(&extension) {
            return None;
        }
        let begins =
            |known: &&str| name.strip_prefix(*known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']));
        let is_one = NAMES.contains(&extension) || NAMES.iter().any(begins);
        is_one.then_some(Self::Dockerfile)
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn dockerfiles_are_known_by_their_names() {
        for name in [
            "Dockerfile",
            "a/b/dockerfile",
            "Dockerfile.arm64",
            "Dockerfile-debian",
            "x/app.Dockerfile",
            "Containerfile",
            "c.containerfile",
        ] {
            assert_eq!(Kind::of(name), Some(Kind::Dockerfile), "{name}");
        }
        for name in [
            "Dockerfile.dockerignore",
            "Dockerfile.j2",
            "dockerfiles/main.go",
            "Dockerfiles",
            "mydockerfile",
            "Dockerfile.d/x",
            "README.md",
        ] {
            assert_eq!(Kind::of(name), None, "{name}");
        }
    }
}

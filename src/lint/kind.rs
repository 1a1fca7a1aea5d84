/// The kinds of files that are linted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What a builder runs.
    Dockerfile,
    /// GitHub's, which builds images among other things.
    Workflow,
    /// Services, and how their images are built.
    Compose,
    /// Targets of `docker buildx bake`, in HCL or JSON.
    Bake,
    /// Any other YAML: it may be Kubernetes'.
    Manifest,
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
    /// What a file is by its path: `Dockerfile`, `Dockerfile.arm64`, `Dockerfile-debian`, `app.Dockerfile` and the same with
    /// `Containerfile`; build files by the names that their tools look for.
    pub fn of(path: &str) -> Option<Self> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let name = name.to_ascii_lowercase();
        Self::of_build_file(folder, &name).or_else(|| Self::of_dockerfile(&name))
    }

    fn of_build_file(folder: &str, name: &str) -> Option<Self> {
        let begins = |start: &str| name.strip_prefix(start).is_some_and(|rest| rest.starts_with(['.', '-', '_']));
        let is_yaml = [".yml", ".yaml"].iter().any(|end| name.ends_with(end));
        match name {
            _ if begins("docker-bake") && [".hcl", ".json"].iter().any(|end| name.ends_with(end)) => Some(Self::Bake),
            _ if !is_yaml || begins("dockerfile") => None,
            _ if folder == ".github/workflows" || folder.ends_with("/.github/workflows") => Some(Self::Workflow),
            _ if begins("compose") || begins("docker-compose") => Some(Self::Compose),
            _ => Some(Self::Manifest),
        }
    }

    fn of_dockerfile(name: &str) -> Option<Self> {
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
            "package.json",
            "Dockerfile.yml",
        ] {
            assert_eq!(Kind::of(name), None, "{name}");
        }
    }

    #[test]
    fn build_files_are_known_by_what_their_tools_look_for() {
        for (name, kind) in [
            (".github/workflows/ci.yml", Kind::Workflow),
            ("a/.github/workflows/ci.yaml", Kind::Workflow),
            ("compose.yaml", Kind::Compose),
            ("x/docker-compose.prod.yml", Kind::Compose),
            ("docker-bake.hcl", Kind::Bake),
            ("docker-bake.override.json", Kind::Bake),
            ("deploy/shop.yaml", Kind::Manifest),
        ] {
            assert_eq!(Kind::of(name), Some(kind), "{name}");
        }
    }
}

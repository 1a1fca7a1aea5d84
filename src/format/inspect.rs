//! What `docker inspect` and `podman inspect` say of containers
//! (`github.com/moby/moby/api/types/container`, `InspectResponse`; `containers/podman`, `libpod/define/container_inspect.go`).

use super::yaml;

/// A container of Docker's or Podman's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspected {
    /// `Name`, without the slash.
    pub name: String,
    /// The image as it was asked for.
    pub image: String,
    /// The image's id, which is the digest of its config or, with containerd's store, of its manifest.
    pub image_id: Option<String>,
    /// What was started: `Path` and `Args`, in which the image's entrypoint and command are merged already.
    pub argv: Vec<String>,
    /// `KEY=value` each, those of the image too.
    pub env: Vec<String>,
    /// The user.
    pub user: Option<String>,
    /// The working directory.
    pub working_dir: Option<String>,
    /// Capabilities taken away.
    pub cap_drop: Vec<String>,
    /// What is mounted: where, and the host's directory or the volume.
    pub mounts: Vec<(String, Bound)>,
    /// `created`, `running`, `exited`, ….
    pub status: String,
    /// What it exited with, if it has exited.
    pub exit_code: Option<i32>,
    /// What the runtime said.
    pub error: Option<String>,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// A directory or file of the host.
    Host(String),
    /// A volume by its name.
    Volume(String),
    /// Memory, empty at first, and mounted with `noexec` unless it is said otherwise.
    Tmpfs {
        /// Whether `exec` was asked for.
        exec: bool,
    },
}

/// Reads the containers of an inspection; none where it is not one.
pub fn inspected(text: &str) -> Vec<Inspected> {
    let (documents, _) = yaml::parse(text);
    let all = documents.iter().flat_map(|document| match document.items() {
        [] => std::slice::from_ref(document),
        items => items,
    });
    all.filter_map(container).collect()
}

fn container(node: &yaml::Node) -> Option<Inspected> {
    let of = |path: &[&str]| node.at(path).and_then(yaml::Node::text).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    let all = |path: &[&str]| {
        let items = node.at(path).map(yaml::Node::items).unwrap_or_default();
        items.iter().filter_map(|item| item.text().map(ToOwned::to_owned)).collect::<Vec<String>>()
    };
    // Inspections of images have neither.
    let (state, path) = (node.get("State")?, of(&["Path"])?);
    let status = state.get("Status").and_then(yaml::Node::text).unwrap_or_default().to_owned();
    let is_over = matches!(status.as_str(), "exited" | "dead" | "created" | "stopped");
    let code = state.get("ExitCode").and_then(yaml::Node::text).and_then(|code| code.parse().ok());
    Some(Inspected {
        name: of(&["Name"]).unwrap_or_default().trim_start_matches('/').to_owned(),
        image: of(&["ImageName"]).or_else(|| of(&["Config", "Image"])).unwrap_or_default(),
        image_id: of(&["ImageDigest"]).or_else(|| of(&["Image"])),
        argv: argv(path, all(&["Args"]), node.get("ImageName").is_some()),
        env: all(&["Config", "Env"]),
        user: of(&["Config", "User"]),
        working_dir: of(&["Config", "WorkingDir"]),
        cap_drop: all(&["HostConfig", "CapDrop"]),
        mounts: mounts(node),
        exit_code: code.filter(|code| is_over && (status != "created" || *code != 0)),
        error: state.get("Error").and_then(yaml::Node::text).filter(|error| !error.is_empty()).map(ToOwned::to_owned),
        status,
    })
}

/// `Path` and `Args`. Where there is but one word, Podman has it in both.
fn argv(path: String, args: Vec<String>, is_podman: bool) -> Vec<String> {
    if is_podman && args.first() == Some(&path) && args.len() == 1 {
        return args;
    }
    std::iter::once(path).chain(args).collect()
}

fn mounts(node: &yaml::Node) -> Vec<(String, Bound)> {
    let text = |node: &yaml::Node, key: &str| node.get(key).and_then(yaml::Node::text).unwrap_or_default().to_owned();
    let mount = |mount: &yaml::Node| {
        let bound = match text(mount, "Type").as_str() {
            "bind" => Bound::Host(text(mount, "Source")),
            "tmpfs" => Bound::Tmpfs { exec: false },
            _ => Bound::Volume(text(mount, "Name")),
        };
        (text(mount, "Destination"), bound)
    };
    let listed = node.get("Mounts").map(yaml::Node::items).unwrap_or_default().iter().map(mount);
    let memory = node.at(&["HostConfig", "Tmpfs"]).map(yaml::Node::entries).unwrap_or_default();
    let memory = memory.iter().filter_map(|(path, options)| {
        let exec = options.text().unwrap_or_default().split(',').any(|option| option == "exec");
        Some((path.text()?.to_owned(), Bound::Tmpfs { exec }))
    });
    listed.chain(memory).collect()
}

#[cfg(test)]
mod tests {
    use super::{Bound, inspected};

    #[test]
    fn a_container_is_told_from_an_image() {
        let text = r#"[{"Id": "0", "Name": "/api", "Image": "sha256:00", "Path": "/app", "Args": ["serve"],
            "State": {"Status": "created", "ExitCode": 127, "Error": "exec /app: exec format error"},
            "Config": {"Image": "shop/api:1", "Env": ["A=b"], "User": "", "WorkingDir": "/srv"},
            "HostConfig": {"CapDrop": ["ALL"], "Tmpfs": {"/run": "rw,exec"}},
            "Mounts": [{"Type": "bind", "Source": "/home/a", "Destination": "/app", "RW": true}]}]"#;
        let [container] = inspected(text).try_into().unwrap();
        assert_eq!((container.name.as_str(), container.exit_code), ("api", Some(127)));
        assert_eq!(container.argv, ["/app", "serve"]);
        assert_eq!((container.user, container.working_dir.as_deref()), (None, Some("/srv")));
        let bound = [("/app".to_owned(), Bound::Host("/home/a".into())), ("/run".to_owned(), Bound::Tmpfs { exec: true })];
        assert_eq!(container.mounts, bound);
        let podman = r#"[{"ImageName": "a:1", "Name": "a", "Path": "/app", "Args": ["/app"], "State": {"Status": "exited", "ExitCode": 1}}]"#;
        assert_eq!(inspected(podman)[0].argv, ["/app"]);
        assert!(inspected(r#"[{"Id": "0", "RepoTags": ["a:1"], "Config": {"Env": []}}]"#).is_empty());
        assert!(inspected("exec /app: exec format error").is_empty());
    }
}

//! From a config to the argv, directory and user of the first process.

use crate::format::oci::RunConfig;
use crate::image::{Credentials, Rootfs};

use super::Cause;

/// Docker's PATH where the image's Env has none (moby `daemon/pkg/oci/defaults.go`).
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How the first process is started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Launch {
    /// The words of the command.
    pub argv: Vec<Vec<u8>>,
    /// The working directory as configured; `/` where it is not.
    pub cwd: Vec<u8>,
    /// `KEY=value` each, PATH included.
    pub env: Vec<Vec<u8>>,
    /// As whom.
    pub user: Credentials,
    /// The user as configured, for reports.
    pub user_text: String,
}

impl Launch {
    /// The environment as the process has it: of a name that is set twice, the last counts.
    pub(super) fn environment(&self) -> Vec<Vec<u8>> {
        let name = |variable: &[u8]| variable.split(|byte| *byte == b'=').next().unwrap_or_default().to_vec();
        let mut env: Vec<Vec<u8>> = Vec::new();
        for variable in &self.env {
            env.retain(|known| name(known) != name(variable));
            env.push(variable.clone());
        }
        env
    }

    /// The value of PATH.
    pub fn path(&self) -> &[u8] {
        self.env.iter().rev().find_map(|variable| variable.strip_prefix(b"PATH=")).unwrap_or_default()
    }
}

/// What the user puts in the place of what the config says, as `docker run` and Kubernetes do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--entrypoint` (Kubernetes' `command`): the image's Cmd is dropped with its Entrypoint.
    pub entrypoint: Option<Vec<String>>,
    /// `--cmd` (Kubernetes' `args`).
    pub cmd: Option<Vec<String>>,
    /// `--user`.
    pub user: Option<String>,
    /// `--workdir`.
    pub working_dir: Option<String>,
    /// `--env KEY=value`, added to the image's; the last of a key wins.
    pub env: Vec<String>,
    /// `--noexec`: directories in which something is mounted with `noexec`.
    pub noexec: Vec<String>,
    /// `--cap-drop ALL` or `DAC_OVERRIDE`: root is held to permission bits too.
    pub drops_dac_override: bool,
}

/// Why nothing can be started, before any file is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchError {
    /// Why.
    pub cause: Cause,
    /// As far as it got, for reports.
    pub launch: Launch,
}

/// Works out how the container's first process is started (moby `daemon/commit.go`, `merge`; containerd
/// `internal/cri/opts/spec_opts.go`, `WithProcessArgs`).
///
/// # Errors
/// There is no command, or the user is unknown; both are findings.
pub fn launch(config: &RunConfig, overrides: &Overrides, rootfs: &Rootfs) -> Result<Launch, Box<LaunchError>> {
    let user_text = overrides.user.as_ref().unwrap_or(&config.user).clone();
    let working_dir = overrides.working_dir.as_ref().unwrap_or(&config.working_dir);
    let mut launch = Launch {
        argv: argv(config, overrides),
        cwd: if working_dir.is_empty() { b"/".to_vec() } else { working_dir.clone().into_bytes() },
        env: environment(config, overrides),
        user: Credentials::default(),
        user_text,
    };
    match credentials(&launch.user_text, rootfs) {
        Ok(user) => {
            launch.user = Credentials { dac_override: user.dac_override && !overrides.drops_dac_override, ..user };
        }
        Err(cause) => return Err(Box::new(LaunchError { cause, launch })),
    }
    if launch.argv.is_empty() {
        return Err(Box::new(LaunchError { cause: Cause::NoCommand, launch }));
    }
    Ok(launch)
}

fn argv(config: &RunConfig, overrides: &Overrides) -> Vec<Vec<u8>> {
    let image_entrypoint = config.entrypoint.as_ref();
    let (entrypoint, cmd) = match &overrides.entrypoint {
        // Another entrypoint has no use for the arguments of the image's own.
        Some(entrypoint) => (Some(entrypoint), overrides.cmd.as_ref()),
        None => (image_entrypoint, overrides.cmd.as_ref().or(config.cmd.as_ref())),
    };
    // One empty word is how a Dockerfile or a command line takes the entrypoint away.
    let entrypoint = entrypoint.filter(|words| words.as_slice() != [""]);
    entrypoint.into_iter().chain(cmd).flatten().map(|word| word.clone().into_bytes()).collect()
}

fn environment(config: &RunConfig, overrides: &Overrides) -> Vec<Vec<u8>> {
    let given = config.env.iter().chain(&overrides.env);
    let mut env: Vec<Vec<u8>> = given.map(|variable| variable.clone().into_bytes()).collect();
    if !env.iter().any(|variable| variable.starts_with(b"PATH=")) {
        env.insert(0, format!("PATH={DEFAULT_PATH}").into_bytes());
    }
    env
}

/// Who `user[:group]` is, by the image's own /etc/passwd and /etc/group (moby/sys `user`, `GetExecUser`).
pub(super) fn credentials(text: &str, rootfs: &Rootfs) -> Result<Credentials, Cause> {
    let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
    // Root without a group is who it is, whatever the files say: they may be in a layer that need not be read.
    if user.is_empty() && group.is_none_or(str::is_empty) {
        return Ok(Credentials::default());
    }
    let passwd = Table::read(rootfs, "/etc/passwd");
    let groups = Table::read(rootfs, "/etc/group");
    let row = if user.is_empty() { None } else { passwd.find(user) };
    let uid = match (row, number(user)) {
        _ if user.is_empty() => 0,
        (Some(row), _) => row.number(2).unwrap_or(0),
        (None, Some(uid)) => uid,
        (None, None) => return Err(Cause::NoSuchUser(user.to_owned())),
    };
    let own_group = row.and_then(|row| row.number(3)).unwrap_or(0);
    let gid = match group.filter(|group| !group.is_empty()) {
        None => own_group,
        Some(group) => {
            let listed = groups.find(group).and_then(|row| row.number(2));
            listed.or_else(|| number(group)).ok_or_else(|| Cause::NoSuchGroup(group.to_owned()))?
        }
    };
    let name = row.map(|row| row.field(0)).unwrap_or_default();
    let member = |row: &Row<'_>| !name.is_empty() && row.field(3).split(',').any(|member| member == name);
    let further =
        if group.is_some() { Vec::new() } else { groups.rows().filter(member).filter_map(|row| row.number(2)).collect() };
    Ok(Credentials { uid, gid, groups: further, dac_override: uid == 0 })
}

/// The shell of a user whom /etc/passwd has; without one it is `/bin/sh`.
pub(super) fn shell_of(user: &str, rootfs: &Rootfs) -> Vec<u8> {
    let passwd = Table::read(rootfs, "/etc/passwd");
    let shell = passwd.find(user).map(|row| row.field(6)).filter(|shell| !shell.is_empty());
    shell.unwrap_or("/bin/sh").as_bytes().to_vec()
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}

/// A file of lines with fields between colons.
struct Table(String);

/// One line of it.
#[derive(Clone, Copy)]
struct Row<'a>(&'a str);

impl Table {
    fn read(rootfs: &Rootfs, path: &str) -> Self {
        Self(String::from_utf8_lossy(rootfs.body(path).unwrap_or_default()).into_owned())
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.0.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(Row)
    }

    /// The row of this name, or else of this number.
    fn find(&self, name_or_number: &str) -> Option<Row<'_>> {
        let named = self.rows().find(|row| row.field(0) == name_or_number);
        named.or_else(|| number(name_or_number).and_then(|id| self.rows().find(|row| row.number(2) == Some(id))))
    }
}

impl<'a> Row<'a> {
    fn field(self, place: usize) -> &'a str {
        self.0.split(':').nth(place).unwrap_or_default()
    }

    fn number(self, place: usize) -> Option<u32> {
        number(self.field(place))
    }
}

#[cfg(test)]
mod tests {
    use super::{Launch, Overrides, launch};
    use crate::exec::Cause;
    use crate::exec::tests::{File, rootfs};
    use crate::format::oci::RunConfig;

    fn words(text: &str) -> Option<Vec<String>> {
        Some(text.split(' ').map(str::to_owned).collect())
    }

    fn started(config: &RunConfig, overrides: &Overrides) -> Result<Launch, Cause> {
        let passwd = "root:x:0:0::/root:/bin/sh\n# note\nweb:x:33:34::/:/bin/false\n77:x:78:79:::\n";
        let group = "root:x:0:\nweb:x:34:\nssl:x:101:other,web\n";
        let rootfs = rootfs(vec![("/etc/passwd", File::kept(passwd)), ("/etc/group", File::kept(group))]);
        launch(config, overrides, &rootfs).map_err(|error| error.cause)
    }

    fn argv(entrypoint: Option<&str>, cmd: Option<&str>, new_entrypoint: Option<&str>, new_cmd: Option<&str>) -> String {
        let config = RunConfig { entrypoint: entrypoint.and_then(words), cmd: cmd.and_then(words), ..RunConfig::default() };
        let overrides =
            Overrides { entrypoint: new_entrypoint.and_then(words), cmd: new_cmd.and_then(words), ..Overrides::default() };
        match started(&config, &overrides) {
            Ok(launch) => String::from_utf8(launch.argv.join(&b' ')).unwrap(),
            Err(cause) => cause.name().to_owned(),
        }
    }

    #[test]
    fn entrypoint_and_cmd_as_docker_and_kubernetes_join_them() {
        assert_eq!(argv(Some("/e 1"), Some("2"), None, None), "/e 1 2");
        assert_eq!(argv(Some("/e"), Some("old"), None, Some("new")), "/e new");
        assert_eq!(argv(Some("/e"), Some("old"), Some("/n"), None), "/n");
        assert_eq!(argv(Some("/e"), Some("old"), Some("/n"), Some("new")), "/n new");
        assert_eq!(argv(Some(""), Some("sh"), None, None), "sh");
        assert_eq!(argv(None, None, None, None), "no-command");
    }

    fn user(text: &str) -> Result<(u32, u32, Vec<u32>), String> {
        let config = RunConfig { cmd: words("x"), user: text.into(), ..RunConfig::default() };
        let launch = started(&config, &Overrides::default()).map_err(|cause| format!("{cause:?}"))?;
        assert_eq!(launch.user.dac_override, launch.user.uid == 0);
        Ok((launch.user.uid, launch.user.gid, launch.user.groups))
    }

    #[test]
    fn users_are_those_of_the_image() {
        assert_eq!(user(""), Ok((0, 0, vec![])));
        assert_eq!(user("web"), Ok((33, 34, vec![101])));
        assert_eq!(user("33"), Ok((33, 34, vec![101])));
        assert_eq!(user("web:ssl"), Ok((33, 101, vec![])));
        assert_eq!(user("1000:1001"), Ok((1000, 1001, vec![])));
        assert_eq!(user("77"), Ok((78, 79, vec![])), "a name may look like a number");
        assert_eq!(user("nobody"), Err("NoSuchUser(\"nobody\")".into()));
        assert_eq!(user("web:none"), Err("NoSuchGroup(\"none\")".into()));
    }

    #[test]
    fn path_has_dockers_default_and_the_last_wins() {
        let config = RunConfig { cmd: words("x"), env: vec!["A=1".into()], ..RunConfig::default() };
        assert!(started(&config, &Overrides::default()).unwrap().path().starts_with(b"/usr/local/sbin:"));
        let overrides = Overrides { env: vec!["PATH=/a".into(), "PATH=/b".into()], ..Overrides::default() };
        assert_eq!(started(&config, &overrides).unwrap().path(), b"/b");
    }
}

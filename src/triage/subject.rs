use crate::exec::Overrides;
use crate::format::kube::{ContainerPart, VolumeKind};
use crate::node::Node;

/// What crashed: a pod, a container of Docker's or Podman's, or nothing but a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// `Pod`, `container`, …; empty for a bare text.
    pub kind: String,
    /// Its namespace, if it has one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// What made it and is to be mended, such as `deployment/api`, in the form that `kubectl patch` takes.
    pub owner: Option<String>,
    /// The name of the node that it is on.
    pub node_name: Option<String>,
    /// That node, where it is known.
    pub node: Option<Node>,
    /// What was observed of the whole, in the order of time: events, the text that was handed in.
    pub symptoms: Vec<Symptom>,
    /// Its containers, those that run first first.
    pub containers: Vec<Container>,
}

impl Subject {
    /// Whether something of it does not run as it should.
    pub fn is_failing(&self) -> bool {
        self.containers.iter().any(Container::is_failing)
    }

    /// It as it is; or once for each container that fails, where several do: each of them has its own cause.
    pub fn by_container(self) -> Vec<Self> {
        let failing: Vec<Container> = self.containers.iter().filter(|container| container.is_failing()).cloned().collect();
        if failing.len() < 2 {
            return vec![self];
        }
        failing.into_iter().map(|container| Self { containers: vec![container], ..self.clone() }).collect()
    }
}

/// Something that was observed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Symptom {
    /// Where: `event Failed`, `log of app`, `standard input`, `app.log`.
    pub source: String,
    /// The text, of one line or many, as it was found.
    pub text: String,
}

/// One container, as far as it decides what is executed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its part in the pod.
    pub kind: ContainerPart,
    /// The image as it was asked for.
    pub image: String,
    /// The image as it was pulled, with its digest (Kubernetes' `imageID`).
    pub image_id: Option<String>,
    /// In the place of the image's Entrypoint.
    pub command: Option<Vec<String>>,
    /// In the place of the image's Cmd.
    pub args: Option<Vec<String>>,
    /// `KEY=value` each; a value that comes from elsewhere (`valueFrom`) is left out with its key.
    pub env: Vec<String>,
    /// In the place of the image's User: `1000`, `1000:1000`.
    pub user: Option<String>,
    /// In the place of the image's WorkingDir.
    pub working_dir: Option<String>,
    /// Capabilities that are taken away: `ALL`, `DAC_OVERRIDE`, …
    pub cap_drop: Vec<String>,
    /// What is mounted over the image's own files.
    pub mounts: Vec<Mount>,
    /// How it is now.
    pub state: Option<State>,
    /// How it was before it was started again.
    pub last_state: Option<State>,
    /// What was observed of it alone: its log, its events.
    pub symptoms: Vec<Symptom>,
}

impl Container {
    /// What it puts in the place of what the image's config says.
    pub fn overrides(&self) -> Overrides {
        let drops = |name: &String| matches!(name.trim_start_matches("CAP_"), "ALL" | "DAC_OVERRIDE");
        Overrides {
            entrypoint: self.command.clone(),
            cmd: self.args.clone(),
            user: self.user.clone(),
            working_dir: self.working_dir.clone(),
            env: self.env.clone(),
            noexec: self.mounts.iter().filter(|mount| mount.noexec).map(|mount| mount.path.clone()).collect(),
            drops_dac_override: self.cap_drop.iter().any(drops),
        }
    }
}

/// Something that is mounted in a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub path: String,
    /// What kind of volume it is.
    pub volume: VolumeKind,
    /// The volume's name, or the directory of the host.
    pub name: String,
    /// Only this part of the volume (`subPath`): a single file may be mounted so.
    pub sub_path: Option<String>,
    /// The mode of its files, where the volume sets one (`defaultMode`).
    pub mode: Option<u32>,
    /// Whether it is mounted with `noexec`.
    pub noexec: bool,
}

/// A container's state, as Kubernetes and Docker tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// `waiting`, `running`, `terminated`.
    pub kind: String,
    /// `CrashLoopBackOff`, `StartError`, `OOMKilled`, `ErrImagePull`, …
    pub reason: Option<String>,
    /// The runtime's own words.
    pub message: Option<String>,
    /// What it exited with: 128 and the signal's number where a signal ended it.
    pub exit_code: Option<i32>,
}

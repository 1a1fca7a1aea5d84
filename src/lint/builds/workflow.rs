//! GitHub workflows that build images: for which platforms, and whether the runner can.

use crate::base::{Platform, escape};
use crate::finding::{Confidence, Finding, TextFile};
use crate::format::yaml::Node;
use crate::lint::finding;

use super::bake::several_loaded;
use super::{Build, dockerfile_in, listed, platforms};

/// A job, with what its expressions may mean.
struct Job<'a> {
    node: &'a Node,
    workflow: &'a Node,
    machine: Machine<'a>,
}

/// What the steps of a job make of the machine that it runs on.
struct Machine<'a> {
    /// The builder, where one is set up: its driver, if it says one, and whether it lies on other machines.
    builder: Option<(Option<&'a str>, bool)>,
    /// Whether a script may set up a builder, or have Docker keep its images in containerd.
    makes_builder: bool,
    /// Whether an emulator is set up.
    emulates: bool,
    /// Whether something that is not read here may set it up: a composite action of the repository.
    is_opaque: bool,
}

/// A step that builds an image with Docker's own action.
struct Step<'a> {
    node: &'a Node,
    /// The texts of `platforms`, with what a matrix puts there each time.
    variants: Vec<Vec<Platform>>,
}

const BUILD: &str = "docker/build-push-action";

/// As many jobs a matrix makes at most (GitHub, "Running variations of jobs in a workflow").
const MOST_VARIANTS: usize = 256;

/// What is wrong in a workflow.
pub(super) fn findings(file: &TextFile<'_>, document: &Node) -> Vec<Finding> {
    let mut found = Vec::new();
    let is_merged = is_merged(document);
    for job in jobs(document) {
        for step in job.builds() {
            found.extend(no_platforms(file, &job, &step));
            found.extend(no_builder(file, &job, &step));
            found.extend(no_emulation(file, &job, &step));
            found.extend(loaded(file, &step));
            found.extend(overwritten_tag(file, &job, &step).filter(|_| !is_merged));
        }
    }
    found
}

/// The builds of Docker's action.
pub(super) fn builds(document: &Node) -> Vec<Build> {
    let mut builds = Vec::new();
    for job in jobs(document) {
        for step in job.builds() {
            let said = |key: &str| step.with(key).and_then(Node::text);
            let dockerfile = match said("file") {
                Some(file) => (!file.contains("${")).then(|| file.trim_start_matches("./").to_owned()),
                None => dockerfile_in(said("context"), None),
            };
            builds.push(Build { platforms: step.variants.concat(), dockerfile });
        }
    }
    builds
}

fn jobs(document: &Node) -> impl Iterator<Item = Job<'_>> {
    let jobs = document.get("jobs").map(Node::entries).unwrap_or_default();
    jobs.iter().map(move |(_, node)| Job { node, workflow: document, machine: Machine::of(steps(node)) })
}

fn steps(job: &Node) -> &[Node] {
    job.get("steps").map(Node::items).unwrap_or_default()
}

impl<'a> Job<'a> {
    fn builds(&self) -> impl Iterator<Item = Step<'a>> {
        let builds = steps(self.node).iter().filter(|step| is_action(step, BUILD));
        builds.map(|node| Step { node, variants: self.variants(node) })
    }

    /// The platforms of a step, once for each job that a matrix makes of this one; none where they cannot be told.
    fn variants(&self, step: &Node) -> Vec<Vec<Platform>> {
        let text = step.at(&["with", "platforms"]).and_then(Node::text).unwrap_or_default();
        let values = self.values(text);
        values.iter().filter_map(|value| platforms(value)).filter(|platforms| !platforms.is_empty()).collect()
    }

    /// What a text with `${{ matrix.x }}` or `${{ env.X }}` can be; nothing where it holds any other expression.
    fn values(&self, text: &str) -> Vec<String> {
        let Some((before, rest)) = text.split_once("${{") else { return vec![text.to_owned()] };
        let Some((expression, after)) = rest.split_once("}}") else { return Vec::new() };
        let inner = match expression.trim().split_once('.') {
            Some(("matrix", key)) => self.matrix(key),
            Some(("env", key)) => self.environment(key).into_iter().collect(),
            _ => Vec::new(),
        };
        // One expression is all that is seen in the field; a second one is not followed.
        let whole = inner.iter().map(|value| format!("{before}{value}{after}"));
        whole.filter(|value| !value.contains("${{")).collect()
    }

    /// The values of a matrix' key: of its own list, and of what is included.
    fn matrix(&self, key: &str) -> Vec<String> {
        let Some(matrix) = self.node.at(&["strategy", "matrix"]) else { return Vec::new() };
        let path: Vec<&str> = key.split('.').collect();
        let (name, inner) = path.split_first().map_or(("", &[][..]), |(name, inner)| (*name, inner));
        let own = matrix.get(name).map(Node::items).unwrap_or_default().iter().filter_map(|item| item.at(inner));
        let included = matrix.get("include").map(Node::items).unwrap_or_default().iter().filter_map(|item| item.at(&path));
        let mut values: Vec<String> = own.chain(included).filter_map(Node::text).map(str::to_owned).take(MOST_VARIANTS).collect();
        values.dedup();
        values
    }

    fn environment(&self, key: &str) -> Option<String> {
        let own = self.node.at(&["env", key]).or_else(|| self.workflow.at(&["env", key]));
        own.and_then(Node::text).map(str::to_owned)
    }

    /// The platforms that the runner itself executes; `None` where it is not one of GitHub's own, or depends on something.
    fn native(&self) -> Option<&'static [&'static str]> {
        let labels = self.node.get("runs-on")?;
        let label = labels.text().or_else(|| labels.items().first().and_then(Node::text))?;
        let is_hosted = label.starts_with("ubuntu-") && labels.items().len() <= 1 && !label.contains("${{");
        is_hosted.then(|| if label.ends_with("-arm") { &["arm64", "arm"][..] } else { &["amd64", "386"][..] })
    }
}

impl<'a> Step<'a> {
    fn with(&self, key: &str) -> Option<&'a Node> {
        self.node.at(&["with", key])
    }

    fn says(&self, key: &str, value: &str) -> bool {
        self.with(key).and_then(Node::text).is_some_and(|text| text.eq_ignore_ascii_case(value))
    }

    fn pushes(&self) -> bool {
        let output = self.with("outputs").and_then(Node::text).unwrap_or_default();
        self.says("push", "true") || output.contains("push=true")
    }
}

impl<'a> Machine<'a> {
    fn of(steps: &'a [Node]) -> Self {
        let uses = |action: &str| steps.iter().find(|step| is_action(step, action));
        let scripts = || steps.iter().filter_map(|step| step.get("run")?.text());
        let runs = |words: [&str; 2]| scripts().any(|script| words.iter().any(|word| script.contains(word)));
        let is_local = |step: &Node| step.get("uses").and_then(Node::text).is_some_and(|action| action.starts_with('.'));
        Self {
            builder: uses("docker/setup-buildx-action").map(builder),
            makes_builder: runs(["buildx create", "containerd-snapshotter"]),
            emulates: uses("docker/setup-qemu-action").is_some() || runs(["binfmt", "qemu"]),
            is_opaque: steps.iter().any(is_local),
        }
    }
}

fn builder(step: &Node) -> (Option<&str>, bool) {
    let said = |key: &str| step.at(&["with", key]).and_then(Node::text);
    let driver = said("driver");
    let is_elsewhere = driver.is_some_and(|driver| matches!(driver, "remote" | "kubernetes" | "cloud") || driver.contains("${{"));
    (driver, is_elsewhere || ["endpoint", "append"].iter().any(|key| said(key).is_some()))
}

fn is_action(step: &Node, action: &str) -> bool {
    let uses = step.get("uses").and_then(Node::text).unwrap_or_default();
    uses.strip_prefix(action).is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
}

/// Pushes without `platforms`: only the runner's own.
fn no_platforms(file: &TextFile<'_>, job: &Job<'_>, step: &Step<'_>) -> Option<Finding> {
    let native = job.native()?.first()?;
    if step.with("platforms").is_some() || !step.pushes() || job.machine.is_opaque {
        return None;
    }
    let place = step.node.get("uses")?;
    let message = format!("the image is built and pushed for linux/{native} only, the runner's own platform");
    let mut found = finding(file, "no-build-platforms", place.span.clone(), message)?;
    found.fix = Some("say for which platforms it is: `platforms: linux/amd64,linux/arm64`".to_owned());
    Some(found)
}

/// Several platforms with Docker's own builder, which builds for one.
fn no_builder(file: &TextFile<'_>, job: &Job<'_>, step: &Step<'_>) -> Option<Finding> {
    let platforms = step.variants.iter().find(|platforms| platforms.len() > 1)?;
    let machine = &job.machine;
    let is_set_up = machine.makes_builder || machine.builder.is_some_and(|(driver, _)| driver != Some("docker"));
    if is_set_up || machine.is_opaque || step.with("builder").is_some() {
        return None;
    }
    let place = step.with("platforms")?;
    let message = format!("a build for {} needs a builder of its own, and none is set up", listed(platforms));
    let mut found = finding(file, "builder-missing", place.span.clone(), message)?;
    found.confidence = Confidence::Medium;
    found.evidence = vec!["buildx says: Multi-platform build is not supported for the docker driver".to_owned()];
    found.fix = Some("add a step `uses: docker/setup-buildx-action@v3` before it, without `driver: docker`".to_owned());
    Some(found)
}

/// A platform that the runner cannot execute, and no emulator.
fn no_emulation(file: &TextFile<'_>, job: &Job<'_>, step: &Step<'_>) -> Option<Finding> {
    let native = job.native()?;
    let is_foreign = |platform: &&Platform| !native.contains(&platform.architecture.as_str());
    let foreign = step.variants.iter().flatten().find(is_foreign)?;
    let machine = &job.machine;
    let is_elsewhere = machine.builder.is_some_and(|(_, is_elsewhere)| is_elsewhere) || step.with("builder").is_some();
    if machine.emulates || is_elsewhere || machine.is_opaque {
        return None;
    }
    let place = step.with("platforms")?;
    let message = format!("the runner cannot execute what the build runs on {foreign}, and no emulator is set up");
    let mut found = finding(file, "emulator-not-set-up", place.span.clone(), message)?;
    found.confidence = Confidence::Medium;
    found.evidence = vec![
        "a RUN on that platform ends with: exec /bin/sh: exec format error".to_owned(),
        "a Dockerfile that runs everything on $BUILDPLATFORM and only copies into the shipped stage needs none".to_owned(),
    ];
    found.fix =
        Some(format!("add a step `uses: docker/setup-qemu-action@v3` before it, or build {foreign} on a runner of its own"));
    Some(found)
}

fn loaded(file: &TextFile<'_>, step: &Step<'_>) -> Option<Finding> {
    let platforms = step.variants.iter().find(|platforms| platforms.len() > 1)?;
    let place = step.with("load").filter(|_| step.says("load", "true"))?;
    several_loaded(file, place.span.clone(), platforms)
}

/// Jobs of a matrix that push one tag, each for its own platform: the last one stands.
fn overwritten_tag(file: &TextFile<'_>, job: &Job<'_>, step: &Step<'_>) -> Option<Finding> {
    let tags = step.with("tags")?;
    let architectures: Vec<String> = step.variants.iter().map(|platforms| listed(platforms)).collect();
    let differ = architectures.windows(2).any(|pair| matches!(pair, [one, next] if one != next));
    if !differ || !step.pushes() || depends_on_matrix(job, tags) {
        return None;
    }
    let output = step.with("outputs").and_then(Node::text).unwrap_or_default();
    if output.contains("push-by-digest=true") {
        return None;
    }
    let message = format!(
        "each job of the matrix pushes the same tag for its own platform ({}): the last one stands alone",
        architectures.join("; ")
    );
    let mut found = finding(file, "overwritten-tag", tags.span.clone(), message)?;
    found.evidence = vec![format!("the tag: {}", escape(tags.text()?.trim()))];
    found.fix = Some(
        "push each by its digest (`outputs: type=image,push-by-digest=true,name-canonical=true,push=true`) and join them in a job \
         behind it: `docker buildx imagetools create --tag TAG IMAGE@DIGEST…`"
            .to_owned(),
    );
    Some(found)
}

/// Whether the tags differ from job to job: they, or the step whose output they are, name the matrix. What comes from anywhere
/// else may.
fn depends_on_matrix(job: &Job<'_>, tags: &Node) -> bool {
    let text = tags.text().unwrap_or_default();
    let mut rest = text;
    while let Some((_, expression)) = rest.split_once("${{") {
        let (expression, after) = expression.split_once("}}").unwrap_or((expression, ""));
        let path: Vec<&str> = expression.trim().split('.').collect();
        let is_fixed = match path.as_slice() {
            ["env" | "github" | "secrets" | "vars" | "inputs" | "needs", ..] => true,
            ["steps", id, ..] => {
                steps(job.node).iter().any(|other| other.get("id").and_then(Node::text) == Some(id) && !names_matrix(other))
            }
            _ => false,
        };
        if !is_fixed {
            return true;
        }
        rest = after;
    }
    false
}

fn names_matrix(step: &Node) -> bool {
    let entries = step.get("with").map(Node::entries).unwrap_or_default();
    let texts = entries.iter().map(|(_, value)| value).chain(step.get("run"));
    texts.filter_map(Node::text).any(|text| text.contains("matrix.") || text.contains("runner.arch") || text.contains("uname"))
}

/// Whether some job joins what others pushed.
fn is_merged(workflow: &Node) -> bool {
    let joins = |step: &Node| {
        let says = |key: &str| step.get(key).and_then(Node::text).unwrap_or_default();
        ["imagetools create", "manifest create", "manifest push", "manifest-tool"].iter().any(|words| says("run").contains(words))
            || says("uses").contains("manifest")
    };
    jobs(workflow).any(|job| steps(job.node).iter().any(joins))
}

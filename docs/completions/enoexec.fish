# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_enoexec_global_optspecs
    string join \n color= q/quiet v/verbose config= no-config h/help V/version
end

function __fish_enoexec_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_enoexec_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_enoexec_using_subcommand
    set -l cmd (__fish_enoexec_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c enoexec -n "__fish_enoexec_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_needs_command" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_needs_command" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_needs_command" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_needs_command" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_needs_command" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_needs_command" -f -a "check" -d 'Will it exec? The gate: every platform of the targets is judged'
complete -c enoexec -n "__fish_enoexec_needs_command" -f -a "inspect" -d 'Facts and predicted traces of the targets, without a verdict'
complete -c enoexec -n "__fish_enoexec_needs_command" -f -a "lint" -d 'Judge Dockerfiles: what will fetch, build or ship for the wrong architecture'
complete -c enoexec -n "__fish_enoexec_needs_command" -f -a "triage" -d 'From a crash to its cause, the proof and the fix: exit code 1 where a cause is found'
complete -c enoexec -n "__fish_enoexec_needs_command" -f -a "preflight" -d 'Every workload on every node that it may land on: will it exec there?'
complete -c enoexec -n "__fish_enoexec_needs_command" -f -a "explain" -d 'Explain a rule, or an error that someone saw'
complete -c enoexec -n "__fish_enoexec_needs_command" -f -a "rules" -d 'List the rules'
complete -c enoexec -n "__fish_enoexec_needs_command" -f -a "node" -d 'What this machine can run, as a node file for --node'
complete -c enoexec -n "__fish_enoexec_needs_command" -f -a "config" -d 'Which configuration file holds, and which settings, with the source of each'
complete -c enoexec -n "__fish_enoexec_needs_command" -f -a "completions" -d 'Print what a shell needs to complete this command line'
complete -c enoexec -n "__fish_enoexec_needs_command" -f -a "man" -d 'Print the manual page, or write those of all commands to a folder'
complete -c enoexec -n "__fish_enoexec_needs_command" -f -a "cache" -d 'What is known of layers from earlier runs: where it lies, and how to be rid of it'
complete -c enoexec -n "__fish_enoexec_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l platform -d 'Only this platform of an index, such as linux/arm64 (repeatable; all by default)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l node -d 'A node to run on, such as arm64, m8g.large, raspberry-pi-5, amd64,compat32=no, host, or a file with nodes (repeatable; by default a plain node of each image\'s own platform)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l entrypoint -d 'Start this instead of the image\'s Entrypoint and Cmd (repeatable: one word each)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l cmd -d 'Pass these words instead of the image\'s Cmd (repeatable: one word each)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l user -d 'Start as this user[:group]' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l cap-drop -d 'Start without this capability: DAC_OVERRIDE, with which root passes over permission bits, or ALL (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l noexec -d 'Take what lies in this directory as mounted with noexec, as `docker run --tmpfs DIR` does (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l workdir -d 'Start in this directory' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l env -d 'Set this variable (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l max-layer-size -d 'Read no layer beyond so many uncompressed bytes' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l max-layer-ratio -d 'Read no layer beyond so many times its stored bytes, from 16 GiB on' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l max-layer-entries -d 'Read no layer beyond so many entries' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l format -d 'How to print the report' -r -f -a "human\t'For people'
json\t'For programs: version 1 of schema/report-v1.json'
sarif\t'For code scanning: SARIF 2.1.0'
github\t'Annotations in a GitHub workflow\'s log'
gitlab\t'GitLab\'s code quality report'
junit\t'JUnit\'s XML, for any CI system'
markdown\t'Markdown, for a step summary or a comment'
html\t'One page to read and search in a browser, offline'"
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l output -d 'Write the report to a file too (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l dockerfile -d 'The Dockerfile that the images were built from: sarif, github and gitlab show findings in images at its lines' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l cache -d 'Where to remember what the layers of registries hold: a directory, or a server\'s URL for GET and PUT [default: $XDG_CACHE_HOME/enoexec or ~/.cache/enoexec]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l username -d 'Log in as this user, with the password of --password-stdin or ENOEXEC_PASSWORD' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l authfile -d 'Take credentials from this file only, of the form of ~/.docker/config.json' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l mirror -d 'Ask this mirror first: [REGISTRY=]HOST[/PATH], of Docker Hub by default (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l insecure-registry -d 'Believe any certificate of this registry, and speak plain HTTP where it does: HOST[:PORT] (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l ca-cert -d 'Believe certificates of the authorities in this file too, in PEM (repeatable)' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l timeout -d 'Give up on a connection that takes, or is silent for, so many seconds' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l retries -d 'Try again so often what fails in a way that may pass' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l fail-on -d 'The least severity that makes the exit code 1' -r -f -a "info\t'Any finding'
warning\t'Warnings and errors'
error\t'Errors'
never\t'Nothing: report only'"
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l min-confidence -d 'Report only what is at least this sure' -r -f -a "low\t'Guesses too'
medium\t'What is likely'
high\t'What is certain'"
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l baseline -d 'Do not report what this file, of --write-baseline, lists' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l write-baseline -d 'Write what is found to this file, and report nothing' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l entrypoint-only -d 'Read no more of an image than tells how it starts, from the top layer down, and judge no other file'
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l verify-diffids -d 'Compute every layer\'s DiffID, also where a descriptor\'s digest stands for the bytes already'
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l no-cache -d 'Read every layer, and remember nothing'
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l password-stdin -d 'Read the password from standard input'
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l offline -d 'Ask no registry'
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_using_subcommand check" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l platform -d 'Only this platform of an index, such as linux/arm64 (repeatable; all by default)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l node -d 'A node to run on, such as arm64, m8g.large, raspberry-pi-5, amd64,compat32=no, host, or a file with nodes (repeatable; by default a plain node of each image\'s own platform)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l entrypoint -d 'Start this instead of the image\'s Entrypoint and Cmd (repeatable: one word each)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l cmd -d 'Pass these words instead of the image\'s Cmd (repeatable: one word each)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l user -d 'Start as this user[:group]' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l cap-drop -d 'Start without this capability: DAC_OVERRIDE, with which root passes over permission bits, or ALL (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l noexec -d 'Take what lies in this directory as mounted with noexec, as `docker run --tmpfs DIR` does (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l workdir -d 'Start in this directory' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l env -d 'Set this variable (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l max-layer-size -d 'Read no layer beyond so many uncompressed bytes' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l max-layer-ratio -d 'Read no layer beyond so many times its stored bytes, from 16 GiB on' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l max-layer-entries -d 'Read no layer beyond so many entries' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l format -d 'How to print the report' -r -f -a "human\t'For people'
json\t'For programs: version 1 of schema/report-v1.json'
sarif\t'For code scanning: SARIF 2.1.0'
github\t'Annotations in a GitHub workflow\'s log'
gitlab\t'GitLab\'s code quality report'
junit\t'JUnit\'s XML, for any CI system'
markdown\t'Markdown, for a step summary or a comment'
html\t'One page to read and search in a browser, offline'"
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l output -d 'Write the report to a file too (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l dockerfile -d 'The Dockerfile that the images were built from: sarif, github and gitlab show findings in images at its lines' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l cache -d 'Where to remember what the layers of registries hold: a directory, or a server\'s URL for GET and PUT [default: $XDG_CACHE_HOME/enoexec or ~/.cache/enoexec]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l username -d 'Log in as this user, with the password of --password-stdin or ENOEXEC_PASSWORD' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l authfile -d 'Take credentials from this file only, of the form of ~/.docker/config.json' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l mirror -d 'Ask this mirror first: [REGISTRY=]HOST[/PATH], of Docker Hub by default (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l insecure-registry -d 'Believe any certificate of this registry, and speak plain HTTP where it does: HOST[:PORT] (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l ca-cert -d 'Believe certificates of the authorities in this file too, in PEM (repeatable)' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l timeout -d 'Give up on a connection that takes, or is silent for, so many seconds' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l retries -d 'Try again so often what fails in a way that may pass' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l exec -d 'Predict what execve says of this path inside the image, exactly as it is written (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l exec-from -d 'Predict every path of this file, one a line (`-` is standard input)' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l entrypoint-only -d 'Read no more of an image than tells how it starts, from the top layer down, and judge no other file'
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l verify-diffids -d 'Compute every layer\'s DiffID, also where a descriptor\'s digest stands for the bytes already'
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l no-cache -d 'Read every layer, and remember nothing'
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l password-stdin -d 'Read the password from standard input'
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l offline -d 'Ask no registry'
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l files -d 'List every file that is code'
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_using_subcommand inspect" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -l diff-base -d 'Report only what lies in lines that are new since this commit' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -l platform -d 'A platform that is built, such as linux/arm64 (repeatable; by default linux/amd64 and linux/arm64)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -l target -d 'The stage that is shipped (by default the last one)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -l fail-on -d 'The least severity that makes the exit code 1' -r -f -a "info\t'Any finding'
warning\t'Warnings and errors'
error\t'Errors'
never\t'Nothing: report only'"
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -l min-confidence -d 'Report only what is at least this sure' -r -f -a "low\t'Guesses too'
medium\t'What is likely'
high\t'What is certain'"
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -l baseline -d 'Do not report what this file, of --write-baseline, lists' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -l write-baseline -d 'Write what is found to this file, and report nothing' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -l format -d 'How to print the report' -r -f -a "human\t'For people'
json\t'For programs: version 1 of schema/report-v1.json'
sarif\t'For code scanning: SARIF 2.1.0'
github\t'Annotations in a GitHub workflow\'s log'
gitlab\t'GitLab\'s code quality report'
junit\t'JUnit\'s XML, for any CI system'
markdown\t'Markdown, for a step summary or a comment'
html\t'One page to read and search in a browser, offline'"
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -l output -d 'Write the report to a file too (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -l dockerfile -d 'The Dockerfile that the images were built from: sarif, github and gitlab show findings in images at its lines' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -l fix -d 'Mend the files, where it is certain how'
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -l diff -d 'Print what --fix would change, as a unified diff'
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_using_subcommand lint" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -s n -l namespace -d 'The pod\'s namespace (by default that of kubectl\'s context)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l context -d 'The context of kubectl that is meant (by default its current one)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l image -d 'The image that was started, as a TARGET of `check` (repeatable): what crashed is predicted and held against the log' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l node -d 'The node that it ran on, as for `check` (repeatable; by default the pod\'s own, where that is known)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l format -d 'How to print what was found' -r -f -a "human\t'For people'
json\t'For programs: version 1 of schema/triage-v1.json'"
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l cache -d 'Where to remember what the layers of registries hold: a directory, or a server\'s URL for GET and PUT [default: $XDG_CACHE_HOME/enoexec or ~/.cache/enoexec]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l username -d 'Log in as this user, with the password of --password-stdin or ENOEXEC_PASSWORD' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l authfile -d 'Take credentials from this file only, of the form of ~/.docker/config.json' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l mirror -d 'Ask this mirror first: [REGISTRY=]HOST[/PATH], of Docker Hub by default (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l insecure-registry -d 'Believe any certificate of this registry, and speak plain HTTP where it does: HOST[:PORT] (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l ca-cert -d 'Believe certificates of the authorities in this file too, in PEM (repeatable)' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l timeout -d 'Give up on a connection that takes, or is silent for, so many seconds' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l retries -d 'Try again so often what fails in a way that may pass' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l no-cache -d 'Read every layer, and remember nothing'
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l password-stdin -d 'Read the password from standard input'
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l offline -d 'Ask no registry'
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_using_subcommand triage" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -s f -l filename -d 'Manifests, in YAML or JSON, or - for standard input: `helm template … | enoexec preflight -f -` (repeatable)' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l nodes -d 'The nodes: what `kubectl get node -o json` or `enoexec node` prints (repeatable; by default kubectl is asked)' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l context -d 'The context of kubectl whose nodes are meant' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l image -d 'Where an image is to be had that is not in its registry yet, such as shop/api:1=oci-archive:api.tar (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l fail-on -d 'The least severity that makes the exit code 1' -r -f -a "info\t'Any finding'
warning\t'Warnings and errors'
error\t'Errors'
never\t'Nothing: report only'"
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l min-confidence -d 'Report only what is at least this sure' -r -f -a "low\t'Guesses too'
medium\t'What is likely'
high\t'What is certain'"
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l baseline -d 'Do not report what this file, of --write-baseline, lists' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l write-baseline -d 'Write what is found to this file, and report nothing' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l format -d 'How to print the report' -r -f -a "human\t'For people'
json\t'For programs: version 1 of schema/report-v1.json'
sarif\t'For code scanning: SARIF 2.1.0'
github\t'Annotations in a GitHub workflow\'s log'
gitlab\t'GitLab\'s code quality report'
junit\t'JUnit\'s XML, for any CI system'
markdown\t'Markdown, for a step summary or a comment'
html\t'One page to read and search in a browser, offline'"
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l output -d 'Write the report to a file too (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l dockerfile -d 'The Dockerfile that the images were built from: sarif, github and gitlab show findings in images at its lines' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l cache -d 'Where to remember what the layers of registries hold: a directory, or a server\'s URL for GET and PUT [default: $XDG_CACHE_HOME/enoexec or ~/.cache/enoexec]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l username -d 'Log in as this user, with the password of --password-stdin or ENOEXEC_PASSWORD' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l authfile -d 'Take credentials from this file only, of the form of ~/.docker/config.json' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l mirror -d 'Ask this mirror first: [REGISTRY=]HOST[/PATH], of Docker Hub by default (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l insecure-registry -d 'Believe any certificate of this registry, and speak plain HTTP where it does: HOST[:PORT] (repeatable)' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l ca-cert -d 'Believe certificates of the authorities in this file too, in PEM (repeatable)' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l timeout -d 'Give up on a connection that takes, or is silent for, so many seconds' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l retries -d 'Try again so often what fails in a way that may pass' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l no-cache -d 'Read every layer, and remember nothing'
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l password-stdin -d 'Read the password from standard input'
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l offline -d 'Ask no registry'
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_using_subcommand preflight" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_using_subcommand explain" -l format -d 'How to print what an error\'s text can mean' -r -f -a "human\t'For people'
json\t'For programs: version 1 of schema/triage-v1.json'"
complete -c enoexec -n "__fish_enoexec_using_subcommand explain" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_using_subcommand explain" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand explain" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_using_subcommand explain" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_using_subcommand explain" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_using_subcommand explain" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_using_subcommand rules" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_using_subcommand rules" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand rules" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_using_subcommand rules" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_using_subcommand rules" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_using_subcommand rules" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_using_subcommand rules" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_using_subcommand node" -l format -d 'How to print it' -r -f -a "toml\t'For people and for --node'
json\t'For programs and for --node'"
complete -c enoexec -n "__fish_enoexec_using_subcommand node" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_using_subcommand node" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand node" -l probe -d 'Also start a tiny program of each machine type, which only exits, to learn what really runs'
complete -c enoexec -n "__fish_enoexec_using_subcommand node" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_using_subcommand node" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_using_subcommand node" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_using_subcommand node" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_using_subcommand node" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_using_subcommand config" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_using_subcommand config" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand config" -l show -d 'Print every setting that a file may have, with its value and where it comes from: a flag is over a variable, a variable over the file'
complete -c enoexec -n "__fish_enoexec_using_subcommand config" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_using_subcommand config" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_using_subcommand config" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_using_subcommand config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_using_subcommand config" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_using_subcommand completions" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_using_subcommand completions" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand completions" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_using_subcommand completions" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_using_subcommand completions" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_using_subcommand completions" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_using_subcommand man" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_using_subcommand man" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand man" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_using_subcommand man" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_using_subcommand man" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_using_subcommand man" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and not __fish_seen_subcommand_from path clean prune help" -l cache -d 'Where it lies [default: $XDG_CACHE_HOME/enoexec or ~/.cache/enoexec]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and not __fish_seen_subcommand_from path clean prune help" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and not __fish_seen_subcommand_from path clean prune help" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and not __fish_seen_subcommand_from path clean prune help" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and not __fish_seen_subcommand_from path clean prune help" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and not __fish_seen_subcommand_from path clean prune help" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and not __fish_seen_subcommand_from path clean prune help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and not __fish_seen_subcommand_from path clean prune help" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and not __fish_seen_subcommand_from path clean prune help" -f -a "path" -d 'Print where it lies'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and not __fish_seen_subcommand_from path clean prune help" -f -a "clean" -d 'Remove all that is in it'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and not __fish_seen_subcommand_from path clean prune help" -f -a "prune" -d 'Remove what was of no use for the longest time'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and not __fish_seen_subcommand_from path clean prune help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from path" -l cache -d 'Where it lies [default: $XDG_CACHE_HOME/enoexec or ~/.cache/enoexec]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from path" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from path" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from path" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from path" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from path" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from path" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from path" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from clean" -l cache -d 'Where it lies [default: $XDG_CACHE_HOME/enoexec or ~/.cache/enoexec]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from clean" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from clean" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from clean" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from clean" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from clean" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from clean" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from clean" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from prune" -l max-size -d 'How much may stay, such as 500MiB' -r
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from prune" -l cache -d 'Where it lies [default: $XDG_CACHE_HOME/enoexec or ~/.cache/enoexec]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from prune" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from prune" -l config -d 'Read settings from this file [default: the nearest enoexec.toml, up to the repository\'s top]' -r -F
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from prune" -s q -l quiet -d 'Print findings only'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from prune" -s v -l verbose -d 'Print more: every hop, skipped entries, what is read'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from prune" -l no-config -d 'Read no configuration file'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from prune" -s V -l version -d 'Print version'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "path" -d 'Print where it lies'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "clean" -d 'Remove all that is in it'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Remove what was of no use for the longest time'
complete -c enoexec -n "__fish_enoexec_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and not __fish_seen_subcommand_from check inspect lint triage preflight explain rules node config completions man cache help" -f -a "check" -d 'Will it exec? The gate: every platform of the targets is judged'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and not __fish_seen_subcommand_from check inspect lint triage preflight explain rules node config completions man cache help" -f -a "inspect" -d 'Facts and predicted traces of the targets, without a verdict'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and not __fish_seen_subcommand_from check inspect lint triage preflight explain rules node config completions man cache help" -f -a "lint" -d 'Judge Dockerfiles: what will fetch, build or ship for the wrong architecture'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and not __fish_seen_subcommand_from check inspect lint triage preflight explain rules node config completions man cache help" -f -a "triage" -d 'From a crash to its cause, the proof and the fix: exit code 1 where a cause is found'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and not __fish_seen_subcommand_from check inspect lint triage preflight explain rules node config completions man cache help" -f -a "preflight" -d 'Every workload on every node that it may land on: will it exec there?'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and not __fish_seen_subcommand_from check inspect lint triage preflight explain rules node config completions man cache help" -f -a "explain" -d 'Explain a rule, or an error that someone saw'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and not __fish_seen_subcommand_from check inspect lint triage preflight explain rules node config completions man cache help" -f -a "rules" -d 'List the rules'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and not __fish_seen_subcommand_from check inspect lint triage preflight explain rules node config completions man cache help" -f -a "node" -d 'What this machine can run, as a node file for --node'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and not __fish_seen_subcommand_from check inspect lint triage preflight explain rules node config completions man cache help" -f -a "config" -d 'Which configuration file holds, and which settings, with the source of each'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and not __fish_seen_subcommand_from check inspect lint triage preflight explain rules node config completions man cache help" -f -a "completions" -d 'Print what a shell needs to complete this command line'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and not __fish_seen_subcommand_from check inspect lint triage preflight explain rules node config completions man cache help" -f -a "man" -d 'Print the manual page, or write those of all commands to a folder'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and not __fish_seen_subcommand_from check inspect lint triage preflight explain rules node config completions man cache help" -f -a "cache" -d 'What is known of layers from earlier runs: where it lies, and how to be rid of it'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and not __fish_seen_subcommand_from check inspect lint triage preflight explain rules node config completions man cache help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and __fish_seen_subcommand_from cache" -f -a "path" -d 'Print where it lies'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and __fish_seen_subcommand_from cache" -f -a "clean" -d 'Remove all that is in it'
complete -c enoexec -n "__fish_enoexec_using_subcommand help; and __fish_seen_subcommand_from cache" -f -a "prune" -d 'Remove what was of no use for the longest time'

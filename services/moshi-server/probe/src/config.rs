//! A config of moshi-server, read as far as the probe and the start script ask: who may connect, and the modules.

use std::fs;
use std::path::Path;

use crate::toml::{Table, Value};

#[derive(Debug, Default)]
pub struct Config {
    /// `authorized_ids` as they are in the file: the server expands no `$VAR` in them.
    pub keys: Vec<String>,
    /// Whether there are `authorized_ids` at all, without which the server does not start.
    pub has_keys: bool,
    /// `allow_anonymous`, which moshi-server 0.6.4 does not know: newer ones may.
    pub anonymous: bool,
    pub modules: Vec<Module>,
    pub document: Table,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Module {
    pub name: String,
    pub kind: String,
    pub table: Table,
}

impl Module {
    /// What the module hands on to its Python script.
    pub fn python(&self) -> Option<&Table> {
        self.table.get("py")?.table()
    }
}

pub fn read(path: &Path) -> Result<Config, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Config::parse(&text).map_err(|message| format!("{}: {message}", path.display()))
}

impl Config {
    pub fn parse(text: &str) -> Result<Config, String> {
        let document = Table::parse(text)?;
        let has_keys = document.get("authorized_ids").is_some();
        let keys = match document.get("authorized_ids") {
            Some(Value::List(keys)) => keys.iter().filter_map(Value::text).map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        let modules = document.get("modules").and_then(Value::table).map_or(&[][..], |modules| &modules.entries);
        let modules = modules
            .iter()
            .filter_map(|(name, module)| {
                let table = module.table()?;
                let kind = table.text("type")?.to_string();
                Some(Module { name: name.clone(), kind, table: table.clone() })
            })
            .collect();
        let anonymous = document.get("allow_anonymous") == Some(&Value::Bare("true".to_string()));
        Ok(Config { keys, has_keys, anonymous, modules, document })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        Config::parse(text).unwrap().keys
    }

    #[test]
    fn the_configs_of_this_repository() {
        for (text, name) in [
            (include_str!("../../../stt/configs/stt.toml"), "BatchedAsr"),
            (include_str!("../../../tts/configs/tts.toml"), "Py"),
        ] {
            let config = Config::parse(text).unwrap();
            assert_eq!(config.keys, ["public_token"]);
            assert_eq!(config.modules.iter().map(|module| module.kind.as_str()).collect::<Vec<_>>(), [name]);
            assert!(!config.anonymous);
        }
    }

    #[test]
    fn lists_of_keys() {
        assert_eq!(
            keys("authorized_ids = [\n  \"a\", # one\r\n  'b$C\\',\n]\n[x]\nauthorized_ids = [\"no\"]"),
            ["a", "b$C\\"]
        );
        assert_eq!(keys("a = 1\nauthorized_ids=[]"), [""; 0]);
        assert_eq!(keys("\"authorized_ids\" = [\"a\"]"), ["a"]);
        assert_eq!(keys("x = \"authorized_ids = ['no']\" # authorized_ids = ['no']"), [""; 0]);
    }

    #[test]
    fn modules_in_every_notation() {
        for text in [
            "[modules.a]\ntype = \"Py\"\n[modules.a.py]\ntype = \"no\"",
            "[modules]\na = { path = \"/a\", type = \"Py\", py = { x = 1 } }",
            "modules.a.type = \"Py\"\nmodules.a.py.x = 1",
        ] {
            let config = Config::parse(text).unwrap();
            let found: Vec<_> =
                config.modules.iter().map(|m| (m.name.as_str(), m.kind.as_str(), m.python().is_some())).collect();
            assert_eq!(found, [("a", "Py", true)], "{text}");
        }
        assert!(Config::parse("allow_anonymous = true").unwrap().anonymous);
    }
}

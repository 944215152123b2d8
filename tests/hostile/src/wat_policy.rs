//! A policy as WebAssembly text, to answer what no compiler would emit.

/// A policy that permits everything, until one of its parts is replaced. What
/// it does wrong it does for operations longer than
/// [`OPERATION_BYTES`](Self::OPERATION_BYTES) only, so that the same host can
/// be shown to go on.
#[derive(Debug, Clone)]
pub struct WatPolicy {
    /// Component fields before the module, such as imports.
    pub before: String,
    /// Imports of the core module.
    pub imports: String,
    /// `(with …)` for the core module's imports.
    pub arguments: String,
    /// The module's memory: at the least two pages, which the answer and what
    /// the host hands over take.
    pub memory: &'static str,
    /// More fields of the core module. The answer is at 1024, permits and is
    /// 36 bytes long; "hello" is at 2048.
    pub module: String,
    /// Instructions of `evaluate` that leave the address of an answer.
    pub evaluate: String,
    /// Instructions of `describe` that leave the address of a description.
    pub describe: String,
    /// Instructions of `realloc` for the long operation that leave an address.
    pub realloc: String,
    /// Instructions of `post-return`, with the answer's address in local 0.
    pub post_return: String,
    /// The type of the exported `evaluate`.
    pub evaluate_type: &'static str,
    /// Makes the policy configurable: instructions of `configure` that leave
    /// the address of an answer; 1024 is a good one.
    pub configure: Option<String>,
    /// Component fields after the policy's export.
    pub after: String,
}

impl Default for WatPolicy {
    fn default() -> Self {
        Self {
            before: String::new(),
            imports: String::new(),
            arguments: String::new(),
            memory: "4",
            module: String::new(),
            evaluate: "(i32.const 1024)".to_owned(),
            describe: "(i32.const 1072)".to_owned(),
            realloc: "(call $bump (local.get 2) (local.get 3))".to_owned(),
            post_return: String::new(),
            evaluate_type: r#"(param "action" $action) (result (result $finding (error $judge-error)))"#,
            configure: None,
            after: String::new(),
        }
    }
}

impl WatPolicy {
    /// The length of operations from which on the policy misbehaves.
    pub const OPERATION_BYTES: usize = 100;

    /// An operation that it misbehaves for.
    pub fn operation(name: &str) -> String {
        format!("hostile/{name}/{}", "x".repeat(Self::OPERATION_BYTES))
    }

    /// The component.
    pub fn encode(&self) -> Vec<u8> {
        let text = self.text();
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn text(&self) -> String {
        let Self {
            before,
            imports,
            arguments,
            memory,
            module,
            evaluate,
            describe,
            realloc,
            post_return,
            evaluate_type,
            ..
        } = self;
        let bytes = Self::OPERATION_BYTES;
        let configure = self.configure.as_deref().unwrap_or("unreachable");
        let configurable = self.configure.as_ref().map(|_| CONFIGURE).unwrap_or_default();
        let after = &self.after;
        format!(
            r#"(component
  {before}
  (core module $m
    {imports}
    (memory (export "memory") {memory})
    (global $top (mut i32) (i32.const 65536))
    (data (i32.const 1024) "\00\00\00\00\01\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\08\00\00\05\00\00\00\00\00\00\00\00\00\00\00")
    (data (i32.const 1072) "\00\08\00\00\05\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
    (data (i32.const 2048) "hello")
    (func $bump (param $align i32) (param $bytes i32) (result i32)
      (global.set $top (i32.and
        (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.get $top)
      (global.set $top (i32.add (global.get $top) (local.get $bytes))))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (if (result i32) (i32.lt_u (local.get 3) (i32.const {bytes}))
        (then (call $bump (local.get 2) (local.get 3)))
        (else {realloc})))
    (func (export "evaluate") (param i32) (result i32)
      (if (result i32) (i32.lt_u (i32.load offset=28 (local.get 0)) (i32.const {bytes}))
        (then (i32.const 1024))
        (else {evaluate})))
    (func (export "post-return") (param i32) {post_return})
    (func (export "describe") (result i32) {describe})
    (func (export "configure") (param i32 i32) (result i32) {configure})
    {module})
  (core instance $i (instantiate $m {arguments}))
  (type $value (variant
    (case "boolean" bool) (case "integer" s64) (case "text" string) (case "texts" (list string))))
  (type $attribute (record (field "name" string) (field "value" $value)))
  (type $action (record
    (field "id" string) (field "session" string) (field "agent" string) (field "operation" string)
    (field "resource" string) (field "arguments" string) (field "attributes" (list $attribute))
    (field "labels" (list string)) (field "time-ns" u64)))
  (type $judge-error (variant (case "missing" string) (case "mistyped" string) (case "other" string)))
  (type $effect (enum "abstain" "permit" "escalate" "forbid"))
  (type $redaction (record (field "argument" string) (field "replacement" string)))
  (type $cap (record (field "argument" string) (field "at-most" s64)))
  (type $header (record (field "name" string) (field "value" string)))
  (type $obligation (variant
    (case "redact" $redaction) (case "cap" $cap) (case "header" $header) (case "approval" string)))
  (type $finding (record (field "effect" $effect) (field "rule" (option string)) (field "reason" string)
    (field "obligations" (list $obligation))))
  (type $rule (record (field "id" string) (field "effect" $effect) (field "summary" string)))
  (type $description (record (field "summary" string) (field "rules" (list $rule))
    (field "session" bool) (field "warnings" (list string))))
  (func $evaluate {evaluate_type} (canon lift (core func $i "evaluate")
    (memory (core memory $i "memory")) (realloc (core func $i "realloc")) (post-return (core func $i "post-return"))))
  (func $describe (result $description) (canon lift (core func $i "describe")
    (memory (core memory $i "memory"))))
  (instance $policy
    (export "attribute-value" (type $value)) (export "attribute" (type $attribute))
    (export "action" (type $action)) (export "judge-error" (type $judge-error))
    (export "effect" (type $effect)) (export "redaction" (type $redaction)) (export "cap" (type $cap))
    (export "header" (type $header)) (export "obligation" (type $obligation)) (export "finding" (type $finding))
    (export "rule" (type $rule)) (export "description" (type $description))
    (export "evaluate" (func $evaluate)) (export "describe" (func $describe)))
  (export "vak:policy/policy@0.1.0" (instance $policy))
  {configurable}
  {after})"#
        )
    }
}

const CONFIGURE: &str = r#"
  (type $config-error (record (field "message" string) (field "line" (option u32)) (field "column" (option u32))))
  (func $configure (param "config" string) (result (result (error $config-error))) (canon lift
    (core func $i "configure") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (instance $configurable
    (export "config-error" (type $config-error)) (export "configure" (func $configure)))
  (export "vak:types/configure@0.1.0" (instance $configurable))"#;

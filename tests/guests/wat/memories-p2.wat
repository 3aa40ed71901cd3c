;; Hostile: each request grows two memories in turn, and traps when it may not (WASI 0.2).
(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $outparam))
  (core module $module
    (memory $first 1)
    (memory $second 1)
    (func (export "handle") (param i32 i32)
      (loop $more
        (if (i32.eq (memory.grow $first (i32.const 16)) (i32.const -1)) (then unreachable))
        (if (i32.eq (memory.grow $second (i32.const 16)) (i32.const -1)) (then unreachable))
        (br $more))))
  (core instance $main (instantiate $module))
  (func $handle (param "request" (own $request)) (param "response-out" (own $outparam))
    (canon lift (core func $main "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))

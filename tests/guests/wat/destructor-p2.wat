;; Hostile: each request makes a resource of its own and drops it; the destructor never ends (WASI 0.2).
(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $outparam))
  (core module $ending
    (func (export "end") (param i32) (loop $more (br $more))))
  (core instance $ending (instantiate $ending))
  (type $thing (resource (rep i32) (dtor (core func $ending "end"))))
  (core func $new (canon resource.new $thing))
  (core func $drop (canon resource.drop $thing))
  (core module $module
    (import "thing" "new" (func $new (param i32) (result i32)))
    (import "thing" "drop" (func $drop (param i32)))
    (func (export "handle") (param i32 i32)
      (call $drop (call $new (i32.const 1)))))
  (core instance $main (instantiate $module
    (with "thing" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
  (func $handle (param "request" (own $request)) (param "response-out" (own $outparam))
    (canon lift (core func $main "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))

"""The page of GET /. Its links are relative: the app may lie under a path."""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Notes</title>
<style>body { font: 1rem/1.5 system-ui; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }</style>
<h1>Notes</h1>
<form id="login">
  <label>Your name <input name="name" maxlength="100" required></label> <button>Get a token</button>
</form>
<form id="add" hidden>
  <label>Note <input name="text" maxlength="10000" required></label> <button>Add</button>
</form>
<p id="said" role="status"></p>
<ul id="notes"></ul>
<script type="module">
  const part = id => document.getElementById(id);
  // Kept in this page alone: apps under one host name share its storage.
  let token = "";

  async function call(method, path, body) {
    const headers = { "content-type": "application/json" };
    if (token) headers.authorization = "Bearer " + token;
    const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
    const value = await answer.json();
    if (!answer.ok) throw new Error(value.error);
    return value;
  }

  async function list() {
    const { notes } = await call("GET", "api/notes");
    part("notes").replaceChildren(...notes.map(note => {
      const item = document.createElement("li");
      item.textContent = note.text;
      return item;
    }));
  }

  function onSubmit(form, work) {
    part(form).addEventListener("submit", async event => {
      event.preventDefault();
      try {
        part("said").textContent = "";
        await work(Object.fromEntries(new FormData(event.target)));
        await list();
      } catch (error) {
        part("said").textContent = error.message;
      }
    });
  }

  onSubmit("login", async fields => {
    token = (await call("POST", "api/login", fields)).token;
    part("add").hidden = false;
  });
  onSubmit("add", async fields => {
    await call("POST", "api/notes", fields);
    part("add").reset();
  });
</script>
</html>
"""

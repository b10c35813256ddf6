"""How initiators reach targets: ``fabric`` routes and moves the data, ``arbiter`` says who is next."""

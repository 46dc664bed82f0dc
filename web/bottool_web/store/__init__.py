"""ALL the SQL of the server, a module per noun. Knows neither Flask nor who may do what."""

"""Other engines' policies in our own form: Kyverno's and Gatekeeper's CEL. What is in another language is named."""
